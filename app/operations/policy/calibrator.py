"""Calibrate: from error rates to thresholds, by an embedder or by a collection's own people."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from app.errors import CalibrationImpossible, StartupError
from app.gallery.gallery import Gallery
from app.gallery.records import DecisionBasis
from app.gallery.search.collection_calibrations import CalibrationStore
from app.operations.policy.measuring_process import MeasuringProcess
from app.operations.policy.thresholds import Thresholds
from app.recognition.types import ModelId
from models.evaluation.calibration.measure_map import USUAL_GAINS, measure_map
from models.evaluation.calibration.similarity_map import Gains, SimilarityMap
from models.files import write_text_atomically

_log = structlog.get_logger(__name__)


class CalibrationFiles:
    """Calibrations of embedders that were measured here, one file each, named by the weights.

    They win over those that come with an embedder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, model: ModelId) -> SimilarityMap | None:
        """Raises StartupError when the file is no calibration of this embedder."""
        path = self._path(model.digest)
        try:
            found = load_map(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StartupError(f"{path}: {error}; calibrate again, or remove it") from error
        if found.digest != model.digest:
            raise StartupError(f"{path} is of other weights; calibrate again, or remove it")
        return found

    def save(self, measured: SimilarityMap) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(measured.digest)
        save_map(measured, path)
        return path

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest[:16]}.json"


def load_map(path: Path) -> SimilarityMap:
    """Raises FileNotFoundError, or ValueError when it is no calibration."""
    text = path.read_text(encoding="utf-8")
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("not a calibration")  # noqa: TRY004  (of what is in a file)
    return SimilarityMap.from_json(parsed)


def save_map(measured: SimilarityMap, path: Path) -> None:
    """All of it or nothing, also when two write at once."""
    write_text_atomically(path, measured.dumps())


class MeasureMap(Protocol):
    """`measure_map`, in whichever process."""

    def __call__(
        self,
        embeddings: NDArray[np.float32],
        people: Sequence[str],
        *,
        embedder: str,
        digest: str,
        source: str,
        usual_gains: Gains = USUAL_GAINS,
    ) -> SimilarityMap: ...


def measure_people(
    store: CalibrationStore,
    collection: str,
    *,
    by_other_embedder: bool = False,
    known: Callable[[ModelId], SimilarityMap | None] = lambda _: None,
    by: MeasureMap = measure_map,
) -> SimilarityMap:
    """Measure the people enrolled in a collection, and have it decide by them when it answers by
    the embedder that was asked: its other one, if `by_other_embedder`. `known` is as for `measure`.

    Raises CalibrationImpossible when there are too few, CollectionNotFound and EmbedderMismatch.
    """
    found = store.examples(collection, by_other_embedder=by_other_embedder)
    measured = measure(
        found.embeddings,
        found.owners,
        found.model,
        source=f"the people enrolled in {collection!r}",
        known=known(found.model),
        by=by,
    )
    store.replace(
        collection, measured.to_json(), number=found.collection_number, digest=found.model.digest
    )
    return measured


class Calibrator:
    """Thresholds of each collection, and calibrations on a collection's own people.

    All methods block.
    """

    def __init__(
        self,
        store: CalibrationStore,
        gallery: Gallery,
        defaults: Thresholds,
        next_defaults: Thresholds | None = None,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self.defaults = defaults
        """Those of the service's own embedder; `next_defaults` are of the one that comes next."""
        self._next_defaults = next_defaults
        self._measuring = Lock()
        self._process = MeasuringProcess()

    def thresholds(self, collection: str) -> Thresholds:
        """How a collection decides by default. Raises CollectionNotFound."""
        return self.resting_on(self._store.basis(collection), collection)

    def resting_on(self, basis: DecisionBasis, collection: str) -> Thresholds:
        """How a collection decides by what was read of it together with something else."""
        defaults = self._defaults_of(basis.model)
        return defaults.of(basis.options.decisions, self._own(collection, basis))

    def find_map(self, collection: str) -> tuple[SimilarityMap | None, bool]:
        """The calibration that a collection's decisions rest on, and whether it is its own."""
        basis = self._store.basis(collection)
        own = self._own(collection, basis)
        return own or self._defaults_of(basis.model).map, own is not None

    def calibrate(self, collection: str) -> SimilarityMap:
        """Measure the people enrolled in a collection, and decide by them from now on.

        Raises CalibrationImpossible when there are too few, CollectionNotFound, EmbedderMismatch.
        """
        self._gallery.collections.require(collection)
        with self._measuring:  # each takes memory for millions of pairs
            return measure_people(
                self._store,
                collection,
                known=lambda model: self._defaults_of(model).map,
                by=self._process.measure,
            )

    def stop(self) -> None:
        """End a calibration that runs, and refuse others, with Stopping."""
        self._process.stop()

    def forget(self, collection: str) -> None:
        """Go back to the embedder's calibration."""
        self._store.delete(collection)

    def _defaults_of(self, model: ModelId) -> Thresholds:
        following = self._next_defaults
        if following is not None and model.digest != self._gallery.model.digest:
            return following
        return self.defaults

    def _own(self, collection: str, basis: DecisionBasis) -> SimilarityMap | None:
        version = basis.calibration
        if version is None:
            return None
        state = self._gallery.states.at((basis.collection_number, basis.model.digest))
        found = state.derived(SimilarityMap, version)
        if found is not None:
            return found
        stored = self._store.calibration(collection, basis.model.digest)
        if stored is None:
            return None
        try:
            found = SimilarityMap.from_json(stored)
        except ValueError as error:
            _log.warning("calibration_unusable", cause=str(error), remedy="the embedder's is used")
            return None
        state.derive(SimilarityMap, version, found)
        return found


def measure(
    embeddings: NDArray[np.float32],
    people: Sequence[str],
    model: ModelId,
    *,
    source: str,
    known: SimilarityMap | None = None,
    by: MeasureMap = measure_map,
) -> SimilarityMap:
    """Measure people by a network. Raises CalibrationImpossible when there are too few.

    `known` is what is known of the network: its template gains stand in for what so few people
    cannot show.
    """
    try:
        return by(
            embeddings,
            people,
            embedder=model.name,
            digest=model.digest,
            source=source,
            usual_gains=USUAL_GAINS if known is None else known.template_gain,
        )
    except ValueError as error:
        raise CalibrationImpossible(str(error)) from error
