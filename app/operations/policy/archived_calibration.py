"""The calibration of an archived collection: whether it may decide here."""

from collections.abc import Mapping
from typing import Any

from app.errors import ArchivedCalibrationUnusable
from app.gallery.transfer.archive_manifest import CollectionEntry
from models.evaluation.calibration.similarity_map import SimilarityMap

_FMR = 1e-3
_MOST_BELOW = 0.1
"""How much lower than the embedder's own, at most, the similarity of this FMR may be."""
_LEAST_SIMILARITY = 0.0
"""Where the embedder's own is not known: strangers are more alike than this, if not by chance."""
_LEAST_PEOPLE = 2
_ORIGIN = "an archive: "


def checked_calibration(
    entry: CollectionEntry, known: SimilarityMap | None
) -> Mapping[str, Any] | None:
    """Return the calibration of an archived collection, with its origin in `source`; None without
    one.

    It decides who matches, and the archive may be anybody's: it has to be of the collection's
    embedder, its rates have to fall as similarities ascend, and it must not call strangers much
    less alike than `known`, the embedder's own calibration, does.

    Raises ArchivedCalibrationUnusable.
    """
    if entry.calibration is None:
        return None
    try:
        found = SimilarityMap.from_json(entry.calibration)
    except ValueError as error:
        raise _unusable(entry, str(error)) from error
    if found.digest != entry.digest:
        raise _unusable(entry, "it was measured with other weights")
    if found.people < _LEAST_PEOPLE or found.pairs < 1:
        raise _unusable(entry, "it was measured on nobody")
    similarity = found.threshold(_FMR)
    least = _LEAST_SIMILARITY if known is None else known.threshold(_FMR) - _MOST_BELOW
    if similarity < least:
        raise _unusable(entry, f"FMR {_FMR:g} at a similarity of {similarity:.3f} is not plausible")
    return {**entry.calibration, "source": f"{_ORIGIN}{found.source}"}


def is_of_archive(calibration: SimilarityMap) -> bool:
    """Return whether a calibration was taken over from an archive."""
    return calibration.source.startswith(_ORIGIN)


def _unusable(entry: CollectionEntry, why: str) -> ArchivedCalibrationUnusable:
    return ArchivedCalibrationUnusable(
        f"the archive's calibration of {entry.name!r} is not usable: {why}"
    )
