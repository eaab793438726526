"""Calibrations of embedders and of collections, and the thresholds that follow from them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import structlog
from numpy.typing import NDArray

from app.errors import CalibrationImpossible, StartupError
from app.gallery.gallery import Gallery
from app.gallery.records import DecisionBasis
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.repositories.calibration_repository import CalibrationDetails
from app.operations.policy.measuring_process import MeasuringProcess, Sample, measure_here
from app.operations.policy.thresholds import Thresholds
from app.recognition.types import ModelId
from models.evaluation.calibration.histograms import similarity_histograms
from models.evaluation.calibration.measure_map import USUAL_GAINS
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.files import write_text_atomically

_log = structlog.get_logger(__name__)


class CalibrationFiles:
    """Calibrations of embedders that were measured here, one file each, named by the weights.

    They replace the calibrations that come with embedders.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, model: ModelId) -> SimilarityMap | None:
        """Return None without a file. Raises StartupError if it is no calibration of this
        embedder."""
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
    parsed = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(parsed, dict):
        raise ValueError("not a calibration")  # noqa: TRY004  (the content of a file)
    return SimilarityMap.from_json(parsed)


def save_map(measured: SimilarityMap, path: Path) -> None:
    """Write a calibration atomically, also when two processes write at once."""
    write_text_atomically(path, measured.dumps())


MeasureMap = Callable[[Sample], SimilarityMap]
"""`measure_here`, or the same in another process."""


def measure_people(
    store: CalibrationStore,
    collection: str,
    *,
    by_other_embedder: bool = False,
    known: Callable[[ModelId], SimilarityMap | None] = lambda _: None,
    by: MeasureMap = measure_here,
) -> SimilarityMap:
    """Measure the people enrolled in a collection, and keep that as its own calibration.

    The embeddings are those of the embedder that the collection answers by; of its other one, if
    `by_other_embedder`. `known` is as for `measure`. Raises CalibrationImpossible when there are
    too few people, CollectionNotFound and EmbedderMismatch.
    """
    examples = store.examples(collection, by_other_embedder=by_other_embedder)
    measured = measure(
        examples.embeddings,
        examples.owners,
        examples.model,
        source=f"the people enrolled in {collection!r}",
        known=known(examples.model),
        by=by,
    )
    number, digest = examples.collection_number, examples.model.digest
    histograms = similarity_histograms(examples.embeddings, examples.owners)
    store.replace(
        collection,
        measured.to_json(),
        histograms=histograms.to_json(),
        number=number,
        digest=digest,
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
        """The policy of the service's embedder; `next_defaults` is that of the next one."""
        self._next_defaults = next_defaults
        self._measuring = Lock()
        self._process = MeasuringProcess()

    def thresholds(self, collection: str) -> Thresholds:
        """The policy of a collection. Raises CollectionNotFound."""
        return self.resting_on(self._store.basis(collection), collection)

    def resting_on(self, basis: DecisionBasis, collection: str) -> Thresholds:
        """The policy of a collection whose basis was read before."""
        defaults = self._defaults_of(basis.model)
        return defaults.of(basis.options.decisions, self._own(collection, basis))

    def find_map(self, collection: str) -> tuple[SimilarityMap | None, bool]:
        """The calibration that a collection decides by, and whether it is its own."""
        basis = self._store.basis(collection)
        own = self._own(collection, basis)
        return own or self._defaults_of(basis.model).map, own is not None

    def find_embedders_map(self, collection: str) -> SimilarityMap | None:
        """The calibration of the embedder that a collection answers by."""
        return self._defaults_of(self._store.basis(collection).model).map

    def details(self, collection: str) -> CalibrationDetails | None:
        """When the collection's own calibration was measured, and on what; None without one."""
        return self._store.details(collection)

    def calibrate(self, collection: str) -> SimilarityMap:
        """Measure the people enrolled in a collection, which decides by them from now on.

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
        """End a running calibration, and refuse further ones, with Stopping."""
        self._process.stop()

    def forget(self, collection: str) -> None:
        """Delete the collection's calibration, so that it decides by the embedder's."""
        self._store.delete(collection)

    def _defaults_of(self, model: ModelId) -> Thresholds:
        if self._next_defaults is not None and model.digest != self._gallery.model.digest:
            return self._next_defaults
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
    by: MeasureMap = measure_here,
) -> SimilarityMap:
    """Measure people by an embedder. Raises CalibrationImpossible when there are too few.

    `known` is a calibration of the embedder, if there is one: its template gains are used where
    there are too few people to measure them.
    """
    gains = USUAL_GAINS if known is None else known.template_gain
    try:
        return by(Sample(embeddings, people, model.name, model.digest, source, gains))
    except ValueError as error:
        raise CalibrationImpossible(str(error)) from error
