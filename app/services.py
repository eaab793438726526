"""The composition root: builds everything from the settings, starts it and stops it."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from app.errors import NotReady
from app.gallery.database import Database
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.options import IndexOptions
from app.gallery.index.protocol import LocalIndex, MakeIndex
from app.gallery.periodic import Periodic
from app.gallery.service import Gallery
from app.gallery.snapshots import SnapshotStore
from app.gallery.sync import IndexSync, Sync
from app.gallery.verify import Verified, verify_snapshots
from app.operations.enroll import Enroller
from app.operations.enroll_batch import BatchEnroller
from app.operations.examine_gallery import GalleryExaminer
from app.operations.guards import Guards
from app.operations.identify import Identifier, IdentifyLimits
from app.operations.thresholds import Thresholds
from app.operations.verify import Verifier
from app.recognition.build import (
    KnownModel,
    build_recognizer,
    known_models,
    load_configured_network,
)
from app.recognition.pipeline import Recognizer
from app.settings import Settings
from app.telemetry import Metrics
from models.zoo.network import Network

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Services:
    """All parts of a running service. Made by `build`; `start` before use, `stop` after."""

    settings: Settings
    device: str
    metrics: Metrics
    recognizer: Recognizer
    gallery: Gallery
    thresholds: Thresholds
    enroll: Enroller
    enroll_batch: BatchEnroller
    examine_gallery: GalleryExaminer
    verify: Verifier
    identify: Identifier
    database: Database
    periodic: Periodic = field(default_factory=Periodic)
    _ready: bool = field(default=False)

    @classmethod
    def build(cls, settings: Settings) -> "Services":
        """Load the networks and open the database. Raises StartupError with the remedy."""
        network = load_configured_network(settings)
        recognizer = build_recognizer(settings, network)
        database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
        gallery = Gallery(database, build_sync(settings, database), recognizer.model)
        thresholds = default_thresholds(settings, network)
        guards = Guards(
            gallery,
            thresholds,
            enabled=settings.guards.enabled,
            resembles=least_resemblance(settings, network, thresholds),
        )
        enroller = Enroller(recognizer, gallery, guards)
        return cls(
            settings=settings,
            device=network.device,
            metrics=Metrics(),
            recognizer=recognizer,
            gallery=gallery,
            thresholds=thresholds,
            enroll=enroller,
            enroll_batch=BatchEnroller(enroller, gallery, guards),
            examine_gallery=GalleryExaminer(gallery, guards),
            verify=Verifier(recognizer, gallery, thresholds),
            identify=Identifier(
                recognizer,
                gallery,
                thresholds,
                IdentifyLimits(
                    max_faces=settings.limits.max_faces,
                    terminal_people=settings.retention.terminal_people,
                    max_wait_s=settings.index.max_wait_s,
                ),
            ),
            database=database,
        )

    async def start(self) -> None:
        """Migrate the database, build the indexes and try the networks.

        Does nothing when it has been done. Raises StartupError with the remedy.
        """
        if self._ready:
            return
        await asyncio.to_thread(self._open)
        await self.recognizer.warm_up()
        self._start_periodic()
        self.metrics.watch(
            pending=lambda: self.recognizer.pending, indexed=self.gallery.indexed_faces
        )
        self._ready = True
        _log.info(
            "ready",
            embedder=self.recognizer.model.name,
            device=self.device,
            faces=self.gallery.indexed_faces(),
        )

    def known_models(self) -> tuple[KnownModel, ...]:
        """Every network of the zoo, and which of them runs here."""
        return known_models(active=self.recognizer.model.name)

    async def require_ready(self) -> None:
        """Raises NotReady before a real embedding was made, or DatabaseUnavailable."""
        if not self._ready:
            raise NotReady("the networks have not made an embedding yet; try again in a second")
        await asyncio.to_thread(self.gallery.check)

    async def stop(self) -> None:
        self._ready = False
        await asyncio.to_thread(self.recognizer.stop)
        await asyncio.to_thread(self.periodic.stop)
        await asyncio.to_thread(self.gallery.close)

    def erase_expired(self) -> None:
        """Erase who has expired, and log that it was done."""
        retention = self.settings.retention
        keys_kept = timedelta(seconds=retention.idempotency_keys_s)
        for receipt in self.gallery.erase_expired(
            log_revisions=retention.log_revisions, answers_before=datetime.now(UTC) - keys_kept
        ):
            _log.info(
                "expired_erased",
                collection=receipt.collection,
                identities=receipt.identity_count,
                faces=receipt.face_count,
                revision=receipt.revision,
            )

    def _start_periodic(self) -> None:
        index, retention = self.settings.index, self.settings.retention
        self.periodic.follow(self.gallery, self.database, poll_s=index.poll_ms / 1000)
        self.periodic.every(retention.sweep_every_s, self.erase_expired, name="sweep")
        self.periodic.every(index.snapshot_every_s, self.gallery.save_index, name="snapshots")

    def prepare(self) -> None:
        """Migrate the database and make sure that its collections are this network's.

        Raises StartupError with the remedy.
        """
        self._migrate()
        self.gallery.claim()

    def _open(self) -> None:
        self._migrate()
        self.gallery.open()  # which claims as well

    def _migrate(self) -> None:
        if self.settings.database.auto_upgrade:
            self.database.upgrade()
        else:
            self.database.require_current_schema()


def build_sync(settings: Settings, database: Database) -> Sync:
    """The indexes as the settings want them. Raises StartupError when Milvus cannot be used."""
    if settings.index.milvus_uri is not None:
        return _milvus_sync(settings, settings.index.milvus_uri, database)
    return IndexSync(
        database,
        _index_maker(settings),
        snapshots=_snapshots(settings),
        snapshot_above=settings.index.snapshot_above,
    )


def verify_index(
    settings: Settings, database: Database, *, repair: bool, report: Callable[[Verified], None]
) -> bool:
    """Compare what is kept of the indexes outside of the database with it; whether it agreed."""
    return verify_snapshots(
        database,
        _snapshots(settings),
        _index_maker(settings),
        repair=repair,
        snapshot_above=settings.index.snapshot_above,
        report=report,
    )


def _milvus_sync(settings: Settings, uri: str, database: Database) -> Sync:
    # Here, because the client of Milvus is an optional package.
    from app.gallery.index.milvus_index import Milvus  # noqa: PLC0415
    from app.gallery.milvus_sync import MilvusSync  # noqa: PLC0415

    token = settings.index.milvus_token
    return MilvusSync(
        database,
        Milvus(uri, token="" if token is None else token.get_secret_value()),
        fallback=_exact_index if settings.index.milvus_fallback == "exact" else None,
    )


def _exact_index(dimension: int) -> LocalIndex:
    """However many faces there are: it only stands in for a while."""
    return FaissIndex(dimension, IndexOptions(exact_up_to=sys.maxsize))


def _index_maker(settings: Settings) -> MakeIndex:
    options = IndexOptions(
        exact_up_to=settings.index.exact_up_to, listed_above=settings.index.listed_above
    )
    return lambda dimension: FaissIndex(dimension, options)


def _snapshots(settings: Settings) -> SnapshotStore:
    return SnapshotStore(settings.data_dir / "index")


def default_thresholds(settings: Settings, network: Network) -> Thresholds:
    """The settings' own where given, else those measured for the network, if any."""
    measured, chosen = network.spec.thresholds, settings.thresholds
    both_chosen = chosen.verify is not None and chosen.identify is not None
    return Thresholds(
        embedder=network.spec.name,
        verify=measured.verify if chosen.verify is None and measured else chosen.verify,
        identify=measured.identify if chosen.identify is None and measured else chosen.identify,
        source=measured.source if measured and not both_chosen else None,
    )


_GUARD_FMR = 1e-2


def least_resemblance(settings: Settings, network: Network, thresholds: Thresholds) -> float | None:
    """How like the person's other faces a new one must be, or None when nobody knows.

    Laxer than verify: the guard refuses photos of somebody else, and must let in those of the same
    person at another age or pose. docs/enrolment.md has the figures.
    """
    if settings.guards.resembles is not None or thresholds.verify is None:
        return settings.guards.resembles
    measured = network.spec.thresholds
    lax = None if measured is None else measured.at_fmr.get(_GUARD_FMR)
    return thresholds.verify if lax is None else min(lax, thresholds.verify)
