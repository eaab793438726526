"""The composition root: builds everything from the settings, starts it and stops it."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from math import inf

import structlog

from app.constants import CONSTANTS, Constants
from app.gallery.gallery import Gallery
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch
from app.gallery.store.lost_database import note_gallery
from app.gallery.sync.periodic import Periodic
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits
from app.observe.metrics import Metrics, Readings
from app.observe.request_scope import Stage
from app.observe.tracing import Tracing, build_tracing
from app.observe.traffic import Traffic
from app.operations.corrections import GalleryCorrector
from app.operations.doctor import GalleryExaminer
from app.operations.enroll.batch_enroller import BatchEnroller
from app.operations.enroll.crop_vault import CropVault
from app.operations.enroll.enroller import Enroller
from app.operations.enroll.guard_lookup import Guards
from app.operations.identify.blocking_notes import BlockingNotes
from app.operations.identify.blocking_search import BlockingSearch
from app.operations.identify.identifier import Identifier, IdentifyLimits
from app.operations.identify.shadow_decisions import LiveShadow
from app.operations.identify.verifier import Verifier
from app.operations.policy.calibrator import Calibrator
from app.operations.rollout.embedder_choice import ChosenBy, EmbedderChoice, choose_embedder
from app.operations.unknown_keeper import UnknownKeeper, UnknownNamer
from app.recognition.build import (
    KnownModel,
    build_recognizer,
    known_models,
    load_configured_network,
    load_next_network,
)
from app.recognition.device import device_memory_bytes
from app.recognition.liveness.load_liveness import load_liveness
from app.recognition.pipeline import Recognizer
from app.recognition.scheduler import SchedulerWatch
from app.runtime.memory import give_back_memory
from app.runtime.stopping import StopSignal
from app.runtime.threads import Threads, threads
from app.services.database_opening import migrate, starting_with_damage
from app.services.index_building import build_sync
from app.services.known_thresholds import default_thresholds, next_thresholds
from app.services.readiness import Readiness
from app.services.sweep import Sweep
from app.settings import Settings
from models.zoo.network import Network, Precision
from models.zoo.serving.backends import Backend

_MEMORY_EVERY_S = 30.0
_NOTE_EVERY_S = 5.0
_PROBE_TIMEOUT_S = 2.0
_STOP_WITHIN_S = 2.0
_SAVE_WITHIN_S = 15.0
"""Seconds for saving snapshots at a stop; without them, the next start reads the log of changes."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Services:
    """All parts of a running service. Made by `build`; `start` before use, `stop` after."""

    settings: Settings
    """Those that were given, with the name of the embedder that was chosen."""
    constants: Constants
    choice: EmbedderChoice
    device: str
    runtime: Backend
    precision: Precision
    metrics: Metrics
    traffic: Traffic
    tracing: Tracing | None
    recognizer: Recognizer
    gallery: Gallery
    calibrator: Calibrator
    enroll: Enroller
    enroll_batch: BatchEnroller
    examine_gallery: GalleryExaminer
    correct: GalleryCorrector
    verify: Verifier
    search: BlockingSearch
    identify: Identifier
    unknowns: Unknowns
    sweep: Sweep
    name_unknown: UnknownNamer
    database: Database
    watch: DatabaseWatch
    stop_signal: StopSignal
    readiness: Readiness
    _probe: Database
    """A connection for looking at the database, which no request waits for."""
    periodic: Periodic = field(default_factory=Periodic)
    _was_opened: bool = field(default=False)
    """True when the indexes know all faces."""
    _threads: Threads | None = field(default=None)
    """Those of the event loop that serves."""

    @classmethod
    def build(
        cls,
        settings: Settings,
        choice: EmbedderChoice | None = None,
        constants: Constants = CONSTANTS,
    ) -> "Services":
        """Choose the embedder unless that is done, load the networks and open the database.

        Raises StartupError with the remedy.
        """
        choice = choice or choose_embedder(settings)
        settings = choice.settings
        tracing = build_tracing()
        metrics = Metrics()
        network = load_chosen_network(choice)
        next_network = load_next_network(settings)
        recognizer = build_recognizer(
            settings,
            network,
            next_network=next_network,
            liveness=load_liveness(settings),
            watch=SchedulerWatch(
                batch=partial(metrics.observe_batch, Stage.DETECT), dropped=metrics.count_dropped
            ),
        )
        database = Database(
            settings.resolved_database_url,
            timeout_s=settings.database.timeout_s,
            reserve_bytes=constants.reserve_bytes,
        )
        models = (recognizer.model, recognizer.next_model)
        digests = [model.digest for model in models if model is not None]
        gallery = Gallery(
            database,
            build_sync(settings, database, digests, constants),
            *models,
            chosen_by_auto=choice.by is ChosenBy.AUTO,
        )
        thresholds = default_thresholds(settings, network)
        calibrator = Calibrator(
            CalibrationStore(database),
            gallery,
            thresholds,
            None if next_network is None else next_thresholds(settings, next_network),
        )
        probe = Database(settings.resolved_database_url, timeout_s=_PROBE_TIMEOUT_S)
        probe.gives_up = lambda waited_s: _PROBE_TIMEOUT_S < waited_s < inf
        probe.storage = database.storage
        watch = DatabaseWatch(probe.check, gallery.sync.lag, beside=database.storage.look_again)
        database.gives_up = watch.gives_up
        guards = Guards(gallery, calibrator, enabled=settings.guards.enabled)
        vault = CropVault.of(settings)
        enroller = Enroller(recognizer, gallery, guards, vault)
        unknowns = Unknowns(database, gallery, _inbox_limits(settings, constants))
        search = BlockingSearch(gallery, calibrator)
        stop_signal = StopSignal()
        return cls(
            settings=settings,
            constants=constants,
            choice=choice,
            device=network.device,
            runtime=network.runtime,
            precision=network.precision,
            metrics=metrics,
            traffic=Traffic(),
            tracing=tracing,
            recognizer=recognizer,
            gallery=gallery,
            calibrator=calibrator,
            enroll=enroller,
            enroll_batch=BatchEnroller(enroller, gallery, guards),
            examine_gallery=GalleryExaminer(gallery, calibrator),
            correct=GalleryCorrector(gallery.corrections, guards),
            verify=Verifier(recognizer, gallery, calibrator),
            search=search,
            identify=Identifier(
                recognizer,
                gallery,
                search,
                BlockingNotes(
                    gallery,
                    UnknownKeeper(gallery, unknowns, calibrator),
                    terminal_people=constants.terminal_people,
                ),
                IdentifyLimits(
                    max_faces=settings.limits.max_faces, max_wait_s=constants.max_wait_s
                ),
                LiveShadow(metrics.count_shadow) if settings.next.shadow else None,
            ),
            unknowns=unknowns,
            sweep=Sweep(
                gallery,
                unknowns,
                log_revisions=constants.log_revisions,
                keys_kept_s=constants.keys_kept_s,
            ),
            name_unknown=UnknownNamer(unknowns),
            database=database,
            watch=watch,
            stop_signal=stop_signal,
            readiness=Readiness(database, watch, stop_signal),
            _probe=probe,
        )

    async def start(self) -> None:
        """Migrate the database, build the indexes and try the networks.

        Does nothing when it has been done. Raises StartupError with the remedy.
        """
        self._threads = threads()
        if self.readiness.has_embedded:
            return
        self.choice.announce()
        await asyncio.to_thread(self._open)
        await self.recognizer.warm_up()
        self._start_periodic()
        self.metrics.watch(self.readings)
        self.readiness.has_embedded = True
        _log.info(
            "ready",
            embedder=self.recognizer.model.name,
            detector=self.settings.detector.name,
            chosen_by=self.choice.by.value,
            device=self.device,
            runtime=self.runtime,
            precision=self.precision,
            faces=self.gallery.sync.face_count(),
        )

    def known_models(self) -> tuple[KnownModel, ...]:
        """Every network of the zoo, and every trained one; and which of them runs here."""
        return known_models(
            active=self.recognizer.model.name, weights_dir=self.settings.resolved_weights_dir
        )

    def readings(self) -> Readings:
        """How busy and how large this process is. Blocks for a fraction of a second at most."""
        lag, problems = self.readiness.look()
        return Readings(
            photos_pending=self.recognizer.pending,
            photo_capacity=self.recognizer.capacity,
            index_faces=self.gallery.sync.face_count(),
            collection_count=None if lag is None else lag.collection_count,
            revisions_behind=None if lag is None else lag.revisions_behind,
            device_memory_bytes=device_memory_bytes(self.device),
            problems=problems,
            work={} if self._threads is None else self._threads.load(),
        )

    def begin_stop(self) -> None:
        """Refuse whatever waits and comes with Stopping; what runs goes on for a little while."""
        self.readiness.has_embedded = False
        self.stop_signal.begin()
        if self._threads is not None:
            self._threads.begin_stop()
        self.recognizer.begin_stop()
        self.calibrator.stop()
        self.database.stop_waiting()
        self.database.interrupt_check()
        self.watch.stop()

    async def stop(self) -> None:
        """End all work; what does not end within seconds is left behind, and logged."""
        self.begin_stop()
        ends = {
            "recognition": lambda: self.recognizer.stop(_STOP_WITHIN_S),
            "requests": lambda: self._threads is None or self._threads.wait_idle(_STOP_WITHIN_S),
            "periodic": lambda: self.periodic.stop(_STOP_WITHIN_S),
        }
        ended = await asyncio.gather(*map(asyncio.to_thread, ends.values()))
        left = [name for name, done in zip(ends, ended, strict=True) if not done]
        if left:
            _log.warning("stopped_with_work_left", left=left)
        try:
            async with asyncio.timeout(_SAVE_WITHIN_S):
                await asyncio.to_thread(self._close)
        except TimeoutError:
            _log.warning("snapshots_not_renewed", cause=f"they took over {_SAVE_WITHIN_S:g} s")
        await asyncio.to_thread(self._probe.close)
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.stop)

    def _note_gallery(self) -> None:
        if self._was_opened:
            faces = self.gallery.sync.face_count()
            try:
                note_gallery(self.database, self.settings.snapshots_dir, faces=faces)
            except OSError as error:  # a full disk, say: the note before stays
                _log.warning("gallery_not_noted", cause=str(error))

    def _close(self) -> None:
        self._note_gallery()
        self.gallery.close()

    def _start_periodic(self) -> None:
        constants = self.constants
        self.watch.start()
        self.periodic.follow(self.gallery.sync, self.database, poll_s=constants.poll_s)
        self.periodic.in_turn(self.database.check_pages, name="pages")
        self.periodic.every(constants.sweep_every_s, self.sweep.erase_expired, name="sweep")
        self.periodic.every(constants.snapshot_every_s, self.gallery.sync.save, name="snapshots")
        self.periodic.every(_NOTE_EVERY_S, self._note_gallery, name="note")
        self.periodic.every(_MEMORY_EVERY_S, give_back_memory, name="memory")

    def prepare(self) -> None:
        """Migrate the database and make sure that its collections are this network's.

        Raises StartupError with the remedy.
        """
        with starting_with_damage():
            migrate(self.settings, self.database)
            self.gallery.collections.claim()

    def _open(self) -> None:
        with starting_with_damage():
            migrate(self.settings, self.database)
            self.database.storage.prepare()
            self.gallery.open()  # which claims as well
            self._was_opened = True


def _inbox_limits(settings: Settings, constants: Constants) -> InboxLimits:
    retention = settings.retention
    return InboxLimits(
        retention_s=retention.unknown_s,
        faces=retention.unknown_faces,
        faces_a_group=constants.unknown_faces_a_group,
    )


def load_chosen_network(choice: EmbedderChoice) -> Network:
    """Raises StartupError with the remedy, which says where `auto` chose the network, and why."""
    with choice.explaining():
        return load_configured_network(choice.settings)
