"""The parts of a running service, and its life: start, stop, and what runs in between."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import structlog

from app.constants import Constants
from app.errors import Unavailable
from app.gallery.gallery import Gallery
from app.gallery.journal.audit_copies import audit_copies
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.events import Events
from app.gallery.journal.head_signer import HeadSigner
from app.gallery.journal.line_follower import LineFollower
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.journal.reads import ReadLog
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.settings_keys import SettingsKeys
from app.gallery.rollout.rollouts import Rollouts, RolloutStatus
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch
from app.gallery.store.lost_database import note_gallery
from app.gallery.sync.periodic import Periodic
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.vault.rechecking import recheck
from app.observe.metrics import Metrics, Readings, Undelivered
from app.observe.tracing import Tracing
from app.observe.traffic import Traffic
from app.operations.access.person_finder import PersonFinder
from app.operations.access.person_reader import PersonReader
from app.operations.corrections import GalleryCorrector
from app.operations.crop_reader import CropReader
from app.operations.doctor import GalleryExaminer
from app.operations.enroll.batch_enroller import BatchEnroller
from app.operations.enroll.enroller import Enroller
from app.operations.enroll.faces_enroller import FacesEnroller
from app.operations.face_assigner import FaceAssigner
from app.operations.identify.blocking_search import BlockingSearch
from app.operations.identify.face_search import FaceSearch
from app.operations.identify.identifier import Identifier
from app.operations.identify.verifier import Verifier
from app.operations.policy.calibrator import Calibrator
from app.operations.rollout.embedder_choice import EmbedderChoice
from app.operations.unknown_finder import UnknownFinder
from app.operations.unknown_reader import UnknownReader
from app.operations.unknowns import UnknownNamer
from app.recognition.device import device_memory_bytes
from app.recognition.pipeline import Recognizer
from app.recognition.types import ModelId
from app.runtime.memory import give_back_memory
from app.runtime.stopping import StopSignal
from app.runtime.threads import Threads, threads
from app.services.database_opening import migrate, starting_with_damage
from app.services.delivery.deliverer import Deliverer
from app.services.delivery.webhooks.webhook_service import WebhookService
from app.services.known_thresholds import known_map
from app.services.readiness import Readiness
from app.services.sweep import Sweep
from app.settings import Settings
from models.zoo.network import Precision
from models.zoo.serving.backends import Backend

_MEMORY_EVERY_S = 30.0
_NOTE_EVERY_S = 5.0
_CHECK_INDEX_EVERY_S = 5.0
_READS_EVERY_S = 1.0
_RECHECK_EVERY_S = 10.0
_SIGN_LOOK_EVERY_S = 10.0
_SIGNED_SOONER = 10_000
"""Lines that are signed before `sign_every_s` is over."""
_STOP_WITHIN_S = 2.0
_SAVE_WITHIN_S = 15.0
"""Seconds for saving snapshots at a stop; without them, the next start reads the log of changes."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Services:
    """All parts of a service, as `build_services` makes them; `start` before use, `stop` after."""

    settings: Settings
    """The given settings, with the name of the embedder that was chosen."""
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
    enroll_faces: FacesEnroller
    examine_gallery: GalleryExaminer
    correct: GalleryCorrector
    assign: FaceAssigner
    verify: Verifier
    crops: CropReader
    find_person: PersonFinder
    read_person: PersonReader
    search: BlockingSearch
    identify: Identifier
    search_faces: FaceSearch
    unknowns: Unknowns
    sweep: Sweep
    audit: AuditLog
    reads: ReadLog
    signer: HeadSigner
    rejections: QualityRejections
    events: Events
    deliverer: Deliverer
    webhooks: WebhookService
    name_unknown: UnknownNamer
    find_unknown: UnknownFinder
    read_unknowns: UnknownReader
    database: Database
    watch: DatabaseWatch
    settings_keys: SettingsKeys
    key_ring: KeyRing
    stop_signal: StopSignal
    readiness: Readiness
    probe: Database
    """A connection for looking at the database, which no request waits for."""
    periodic: Periodic = field(default_factory=Periodic)
    _was_opened: bool = False
    """True when the indexes know all faces."""
    _copies: list[LineFollower] = field(default_factory=list)
    """Of the audit log."""
    _threads: Threads | None = None
    """The threads of the event loop that serves."""

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

    def readings(self) -> Readings:
        """Read how busy and how large this process is. Blocks for 0.1 s at most."""
        lag, problems = self.readiness.look()
        return Readings(
            photos_pending=self.recognizer.pending,
            photo_capacity=self.recognizer.capacity,
            index_faces=self.gallery.sync.face_count(),
            collection_count=None if lag is None else lag.collection_count,
            revisions_behind=None if lag is None else lag.revisions_behind,
            device_memory_bytes=device_memory_bytes(self.device),
            problems=[*problems, *self.sweep.problems],
            unreadable_faces=self.database.vault.unreadable.count(),
            work={} if self._threads is None else self._threads.load(),
            undelivered=self._undelivered(),
        )

    def recheck_unreadable(self) -> None:
        """Look again at the faces whose embedding did not open. Blocks."""
        for collection_number in recheck(self.database):
            self.gallery.sync.forget(collection_number)

    def _undelivered(self) -> dict[str, Undelivered]:
        now = datetime.now(UTC)
        return {
            name: Undelivered(
                waiting=backlog.waiting_count,
                dead=backlog.dead_count,
                oldest_s=0.0
                if backlog.oldest_at is None
                else max(0.0, (now - backlog.oldest_at).total_seconds()),
            )
            for name, backlog in self.deliverer.backlogs().items()
        }

    def rollout_status(self, collection: str) -> RolloutStatus:
        """Read how far a collection has gone over to another embedder. Blocks.

        Raises CollectionNotFound.
        """

        def is_known(model: ModelId) -> bool:
            return known_map(self.settings, model) is not None

        return Rollouts(self.database).status(collection, known=is_known)

    def begin_stop(self) -> None:
        """Refuse calls that wait or come, by Stopping; calls that run go on for a little while."""
        self.readiness.has_embedded = False
        self.stop_signal.begin()
        if self._threads is not None:
            self._threads.begin_stop()
        self.recognizer.begin_stop()
        self.calibrator.stop()
        self.deliverer.begin_stop()
        self.database.stop_waiting()
        self.database.interrupt_check()
        self.watch.stop()

    async def stop(self) -> None:
        """End all work; work that does not end within seconds is left behind, and logged."""
        self.begin_stop()
        ends = {
            "recognition": lambda: self.recognizer.stop(_STOP_WITHIN_S),
            "requests": lambda: self._threads is None or self._threads.wait_idle(_STOP_WITHIN_S),
            "periodic": lambda: self.periodic.stop(_STOP_WITHIN_S),
            "deliveries": lambda: self.deliverer.stop(_STOP_WITHIN_S),
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
        await asyncio.to_thread(self.probe.close)
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
        with suppress(Unavailable):
            self.key_ring.save_use()
        try:
            self.rejections.flush()
            self.reads.flush()
        except Unavailable as error:
            _log.warning("audit_reads_lost", cause=str(error))
        for copy in self._copies:
            copy.close()
        self.gallery.close()

    def _start_periodic(self) -> None:
        constants = self.constants
        self.watch.start()
        follow = partial(self.periodic.follow, database=self.database, poll_s=constants.poll_s)
        follow(self.gallery.sync.follow, name="follow")
        # Apart: a revoked key ends at once, also while a large index is read.
        follow(self.key_ring.follow, name="keys")
        if self.settings.api_keys_file is not None:
            every_s = constants.key_file_every_s
            self.periodic.every(every_s, self.settings_keys.follow, name="key file")
        self.periodic.every(constants.key_use_every_s, self.key_ring.save_use, name="key_use")
        self.periodic.in_turn(self.database.check_pages, name="pages")
        self.periodic.every(constants.sweep_every_s, self.sweep.erase_expired, name="sweep")
        self.periodic.every(_RECHECK_EVERY_S, self.recheck_unreadable, name="unreadable faces")
        self.periodic.every(constants.snapshot_every_s, self.gallery.sync.save, name="snapshots")
        if self.settings.index.milvus_uri is not None:
            self.periodic.every(_CHECK_INDEX_EVERY_S, self.gallery.sync.check, name="index check")
        self.periodic.every(_NOTE_EVERY_S, self._note_gallery, name="note")
        if self.reads.is_on:
            self.deliverer.start()
            self.events.calls.append(self.deliverer.wake)
            self.periodic.every(constants.events_every_s, self.events.follow, name="events")
            self.periodic.every(
                self.settings.audit.sign_every_s, self.signer.sign, name="audit signature"
            )
            self.periodic.every(
                _SIGN_LOOK_EVERY_S,
                partial(self.signer.sign_if_many, _SIGNED_SOONER),
                name="audit signature of many",
            )
            self._copies = audit_copies(self.database, self.settings)
            for copy in self._copies:
                self.metrics.watch_audit_copy(copy.name, copy)
                name = f"audit {copy.name}"
                self.periodic.every(constants.events_every_s, copy.follow, name=name)
        self.periodic.every(_READS_EVERY_S, self.reads.flush, name="reads")
        self.periodic.every(_READS_EVERY_S, self.rejections.flush, name="rejections")
        self.periodic.every(_MEMORY_EVERY_S, give_back_memory, name="memory")

    def _seal_pairs(self) -> None:
        """The master key may be new, or another one than before."""
        try:
            sealed = self.key_ring.keys.seal_pairs()
        except Unavailable as error:  # a file that is read-only, say: each start tries it
            _log.warning("pair_secrets_not_sealed", cause=str(error))
            return
        if sealed.count:
            _log.info("pair_secrets_sealed", keys=sealed.count)
        for key_id in sealed.unreadable:
            _log.error("key_secret_sealed", key=key_id, remedy="run vultus keys rotate")

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
            if not self.database.vault.is_on:
                _log.info("encryption_off", remedy="set VULTUS_MASTER_KEY_FILE; docs/encryption.md")
            self.database.storage.prepare()
            self._seal_pairs()
            self.key_ring.follow()
            self.gallery.open()  # which claims as well
            self._was_opened = True
