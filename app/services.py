"""The composition root: builds everything from the settings, starts it and stops it."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf

import structlog

from app.constants import CONSTANTS, Constants
from app.errors import (
    DatabaseDamaged,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
    NotReady,
    StartupError,
    Stopping,
)
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import LocalIndex, MakeIndex
from app.gallery.people.corrections import Corrections
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.service import Gallery
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch, Look
from app.gallery.store.lost_database import note_gallery, require_not_lost
from app.gallery.sync.index_sync import IndexSync, Sync
from app.gallery.sync.periodic import Periodic
from app.gallery.sync.snapshot_check import Verified, verify_snapshots
from app.gallery.sync.snapshots import SnapshotStore
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
from app.operations.policy.calibrator import CalibrationFiles, Calibrator
from app.operations.policy.thresholds import Thresholds
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
from app.recognition.types import ModelId
from app.runtime.memory import give_back_memory
from app.runtime.stopping import StopSignal
from app.runtime.threads import Threads, threads
from app.settings import Settings
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.errors import WeightsError
from models.zoo.network import Network, Precision
from models.zoo.registry import find_spec
from models.zoo.serving.backends import Backend

_OF_CHANGES = (DiskFull, DatabaseReadOnly)
"""Problems that searches do not suffer from."""
_MEMORY_EVERY_S = 30.0
_NOTE_EVERY_S = 5.0
_PROBE_TIMEOUT_S = 2.0
_LOOK_WITHIN_S = 0.1
_STOP_WITHIN_S = 2.0
_SAVE_WITHIN_S = 15.0
"""Seconds for saving snapshots at a stop; without them, the next start reads the log of changes."""
_SILENT_S = 1.0
"""Silence of the database from which on the service is not ready."""

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
    name_unknown: UnknownNamer
    database: Database
    watch: DatabaseWatch
    _probe: Database
    """A connection for looking at the database, which no request waits for."""
    periodic: Periodic = field(default_factory=Periodic)
    stop_signal: StopSignal = field(default_factory=StopSignal)
    _ready: bool = field(default=False)
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
        watch = DatabaseWatch(probe.check, gallery.standing, beside=database.storage.look_again)
        database.gives_up = watch.gives_up
        guards = Guards(gallery, calibrator, enabled=settings.guards.enabled)
        vault = CropVault.of(settings)
        enroller = Enroller(recognizer, gallery, guards, vault)
        unknowns = Unknowns(database, gallery, _inbox_limits(settings, constants))
        search = BlockingSearch(gallery, calibrator)
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
            correct=GalleryCorrector(Corrections(database, gallery), guards),
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
            name_unknown=UnknownNamer(unknowns),
            database=database,
            watch=watch,
            _probe=probe,
        )

    async def start(self) -> None:
        """Migrate the database, build the indexes and try the networks.

        Does nothing when it has been done. Raises StartupError with the remedy.
        """
        self._threads = threads()
        if self._ready:
            return
        self.choice.announce()
        await asyncio.to_thread(self._open)
        await self.recognizer.warm_up()
        self._start_periodic()
        self.metrics.watch(self.readings)
        self._ready = True
        _log.info(
            "ready",
            embedder=self.recognizer.model.name,
            detector=self.settings.detector.name,
            chosen_by=self.choice.by.value,
            device=self.device,
            runtime=self.runtime,
            precision=self.precision,
            faces=self.gallery.indexed_faces(),
        )

    def known_models(self) -> tuple[KnownModel, ...]:
        """Every network of the zoo, and every trained one; and which of them runs here."""
        return known_models(
            active=self.recognizer.model.name, weights_dir=self.settings.resolved_weights_dir
        )

    async def require_ready(self, *, reads_only: bool = False) -> None:
        """Return when requests can be answered, within a fifth of a second.

        With `reads_only`, a full disk or a read-only file does not count. Raises NotReady before a
        real embedding was made, Stopping, and DatabaseUnavailable with what is wrong.
        """
        if self.stop_signal.begun:
            raise Stopping
        if not self._ready:
            raise NotReady("the networks have not made an embedding yet")
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                found = await asyncio.wrap_future(self.watch.look())
        except TimeoutError:
            found = self.watch.latest() or Look(None, None)
        silent_s = self.watch.silent_s
        if silent_s > _SILENT_S:
            raise DatabaseUnavailable(f"the database has not answered for {silent_s:.0f} s")
        for problem in [found.error, *self._problems()]:
            if problem is not None and not (reads_only and isinstance(problem, _OF_CHANGES)):
                raise problem.with_traceback(None)

    def _problems(self) -> list[DatabaseUnavailable]:
        return self.database.storage.problems()

    def readings(self) -> Readings:
        """How busy and how large this process is. Blocks for a fraction of a second at most."""
        look = self.watch.look_within(_LOOK_WITHIN_S)
        standing = None if look is None or self.watch.silent_s > _SILENT_S else look.standing
        return Readings(
            photos_pending=self.recognizer.pending,
            photo_capacity=self.recognizer.capacity,
            index_faces=self.gallery.indexed_faces(),
            collection_count=None if standing is None else standing.collection_count,
            revisions_behind=None if standing is None else standing.revisions_behind,
            device_memory_bytes=device_memory_bytes(self.device),
            problems=[
                problem.code
                for problem in (None if look is None else look.error, *self._problems())
                if problem is not None
            ],
            work={} if self._threads is None else self._threads.load(),
        )

    def begin_stop(self) -> None:
        """Refuse whatever waits and comes with Stopping; what runs goes on for a little while."""
        self._ready = False
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
            faces = self.gallery.indexed_faces()
            try:
                note_gallery(self.database, self.settings.snapshots_dir, faces=faces)
            except OSError as error:  # a full disk, say: the note before stays
                _log.warning("gallery_not_noted", cause=str(error))

    def _close(self) -> None:
        self._note_gallery()
        self.gallery.close()

    def erase_expired(self) -> None:
        """Erase who and what has expired, and log that it was done.

        Should the one fail, the other is done all the same.
        """
        try:
            for name, count in self.unknowns.erase_expired().items():
                _log.info("unknowns_erased", collection=name, faces=count)
        finally:  # afterwards, as it also overwrites what the database's files still hold of them
            self._erase_expired_people()

    def _erase_expired_people(self) -> None:
        keys_kept = timedelta(seconds=self.settings.retention.idempotency_keys_s)
        for receipt in self.gallery.erase_expired(
            log_revisions=self.constants.log_revisions,
            answers_before=datetime.now(UTC) - keys_kept,
        ):
            _log.info(
                "expired_erased",
                collection=receipt.collection,
                identities=receipt.identity_count,
                faces=receipt.face_count,
                revision=receipt.revision,
            )

    def _start_periodic(self) -> None:
        constants = self.constants
        self.watch.start()
        self.periodic.follow(self.gallery, self.database, poll_s=constants.poll_s)
        self.periodic.in_turn(self.database.check_pages, name="pages")
        self.periodic.every(constants.sweep_every_s, self.erase_expired, name="sweep")
        self.periodic.every(constants.snapshot_every_s, self.gallery.save_index, name="snapshots")
        self.periodic.every(_NOTE_EVERY_S, self._note_gallery, name="note")
        self.periodic.every(_MEMORY_EVERY_S, give_back_memory, name="memory")

    def prepare(self) -> None:
        """Migrate the database and make sure that its collections are this network's.

        Raises StartupError with the remedy.
        """
        with _going_on_with_damage():
            self._migrate()
            self.gallery.claim()

    def _open(self) -> None:
        with _going_on_with_damage():
            self._migrate()
            self.database.storage.prepare()
            self.gallery.open()  # which claims as well
            self._was_opened = True

    def _migrate(self) -> None:
        require_not_lost(self.database, self.settings.snapshots_dir)
        if self.settings.database.auto_upgrade:
            self.database.upgrade()
        else:
            self.database.require_current_schema()


@contextmanager
def _going_on_with_damage() -> Iterator[None]:
    """Start although pages are damaged.

    What needs none of them is answered; /readyz says what is wrong, and so does all the rest.
    """
    try:
        yield
    except DatabaseDamaged as error:
        _log.critical("database_damaged", cause=str(error))


def build_sync(
    settings: Settings,
    database: Database,
    digests: Sequence[str] = (),
    constants: Constants = CONSTANTS,
) -> Sync:
    """The indexes as the settings want them, for the embedders `digests`.

    Raises StartupError when Milvus cannot be used.
    """
    if settings.index.milvus_uri is not None:
        return _milvus_sync(settings, settings.index.milvus_uri, database)
    return IndexSync(
        database,
        _index_maker(settings, constants),
        snapshots=_snapshots(settings),
        snapshot_above=constants.snapshot_above,
        digests=digests,
    )


def verify_index(
    settings: Settings, database: Database, *, repair: bool, report: Callable[[Verified], None]
) -> bool:
    """Compare what is kept of the indexes outside of the database with it; whether it agreed."""
    return verify_snapshots(
        database,
        _snapshots(settings),
        _index_maker(settings, CONSTANTS),
        repair=repair,
        snapshot_above=CONSTANTS.snapshot_above,
        report=report,
    )


def _inbox_limits(settings: Settings, constants: Constants) -> InboxLimits:
    retention = settings.retention
    return InboxLimits(
        retention_s=retention.unknown_s,
        faces=retention.unknown_faces,
        faces_a_group=constants.unknown_faces_a_group,
    )


def _milvus_sync(settings: Settings, uri: str, database: Database) -> Sync:
    # Here, because the client of Milvus is an optional package.
    from app.gallery.index.milvus_index import Milvus  # noqa: PLC0415
    from app.gallery.sync.milvus_sync import MilvusSync  # noqa: PLC0415

    token = settings.index.milvus_token
    return MilvusSync(
        database,
        Milvus(uri, token="" if token is None else token.get_secret_value()),
        fallback=_exact_index if settings.index.milvus_fallback == "exact" else None,
    )


def _exact_index(dimension: int) -> LocalIndex:
    """However many faces there are: it only stands in for a while."""
    return FaissIndex(dimension, IndexOptions(exact_up_to=sys.maxsize))


def _index_maker(settings: Settings, constants: Constants) -> MakeIndex:
    options = IndexOptions(
        exact_up_to=constants.exact_up_to, listed_above=settings.index.listed_above
    )
    return lambda dimension: FaissIndex(dimension, options)


def _snapshots(settings: Settings) -> SnapshotStore:
    return SnapshotStore(settings.snapshots_dir)


def load_chosen_network(choice: EmbedderChoice) -> Network:
    """Raises StartupError with the remedy, which says where `auto` chose the network, and why."""
    with choice.explaining():
        return load_configured_network(choice.settings)


def default_thresholds(settings: Settings, network: Network) -> Thresholds:
    """How this service decides; by the calibration measured here, else by the network's own.

    Raises StartupError when the file of the former is damaged.
    """
    model = ModelId(network.spec.name, network.digest, network.spec.dimension)
    chosen = settings.thresholds
    return Thresholds(
        embedder=model.name,
        map=known_map(settings, model),
        target_fmr=chosen.target_fmr,
        target_fpir=chosen.target_fpir,
        margin=chosen.margin,
        verify=chosen.verify,
        identify=chosen.identify,
        cautious="target_fpir" not in chosen.model_fields_set,
        resembles=settings.guards.resembles,
    )


def known_map(settings: Settings, model: ModelId) -> SimilarityMap | None:
    """The calibration of an embedder that was measured here, or that comes with it.

    Raises StartupError when the file of the former, or the network's card, is damaged.
    """
    try:
        spec = find_spec(model.name, settings.resolved_weights_dir)
    except WeightsError as error:
        raise StartupError(str(error)) from error
    shipped = None if spec is None else spec.calibration
    if shipped is not None and shipped.digest != model.digest:
        shipped = None  # other weights: other similarities
    return calibration_files(settings).find(model) or shipped


def next_thresholds(settings: Settings, network: Network) -> Thresholds:
    """How a collection decides that has gone over to the next embedder.

    Similarities that the settings fix are those of another embedder, and say nothing here.
    """
    ours = default_thresholds(settings, network)
    return replace(ours, margin=None, verify=None, identify=None, resembles=None)


def calibration_files(settings: Settings) -> CalibrationFiles:
    return CalibrationFiles(settings.data_dir / "calibrations")
