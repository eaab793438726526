"""The composition root: builds everything from the settings, starts it and stops it."""

import asyncio
from dataclasses import dataclass, field

import structlog

from app.errors import NotReady
from app.gallery.database import Database
from app.gallery.faiss_index import FaissIndex
from app.gallery.service import Gallery
from app.gallery.sync import IndexSync
from app.operations.enroll import Enroller
from app.operations.identify import Identifier
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
    verify: Verifier
    identify: Identifier
    database: Database
    _ready: bool = field(default=False)

    @classmethod
    def build(cls, settings: Settings) -> "Services":
        """Load the networks and open the database. Raises StartupError with the remedy."""
        network = load_configured_network(settings)
        recognizer = build_recognizer(settings, network)
        database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
        gallery = Gallery(database, IndexSync(database, FaissIndex), recognizer.model)
        thresholds = default_thresholds(settings, network)
        return cls(
            settings=settings,
            device=network.device,
            metrics=Metrics(),
            recognizer=recognizer,
            gallery=gallery,
            thresholds=thresholds,
            enroll=Enroller(recognizer, gallery),
            verify=Verifier(recognizer, gallery, thresholds),
            identify=Identifier(
                recognizer, gallery, thresholds, max_faces=settings.limits.max_faces
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
        self.gallery.close()

    def _open(self) -> None:
        if self.settings.database.auto_upgrade:
            self.database.upgrade()
        else:
            self.database.require_current_schema()
        self.gallery.open()


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
