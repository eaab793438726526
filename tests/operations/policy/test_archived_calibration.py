"""A calibration of an archive decides only if it can be one of the collection's embedder."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.api.schemas.calibration import CalibrationBody
from app.errors import ArchivedCalibrationUnusable
from app.gallery.transfer.archive_manifest import CollectionEntry, Member, member_names
from app.operations.policy.archived_calibration import checked_calibration
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.registry import find_spec


@pytest.fixture
def shipped(tmp_path: Path) -> SimilarityMap:
    spec = find_spec(DEFAULT_NETWORK, tmp_path)
    assert spec is not None
    assert spec.calibration is not None
    return spec.calibration


def _entry(shipped: SimilarityMap, calibration: dict[str, Any] | None) -> CollectionEntry:
    first, second, third = (Member(name=name, size=0, sha256="0" * 64) for name in member_names(0))
    return CollectionEntry(
        name="staff",
        description=None,
        created_at=datetime.now(UTC),
        embedder=shipped.embedder,
        digest=shipped.digest,
        dimension=128,
        calibration=calibration,
        identities=0,
        faces=0,
        members=(first, second, third),
    )


def _shifted(shipped: SimilarityMap, by: float) -> dict[str, Any]:
    """Strangers who are less alike by so much than they are."""
    moved = tuple(max(-1.0, value - by) for value in shipped.similarities)
    kept = [place for place, value in enumerate(moved) if value > -1.0]
    rows: dict[str, Any] = {
        name: tuple(getattr(shipped, name)[place] for place in kept)
        for name in ("log_fmr", "log_low", "log_high", "log_spread")
    }
    similarities = tuple(moved[place] for place in kept)
    return replace(shipped, similarities=similarities, **rows).to_json()


def test_calibration_says_that_it_is_of_an_archive(shipped: SimilarityMap) -> None:
    taken = checked_calibration(_entry(shipped, _shifted(shipped, 0.05)), shipped)
    assert taken is not None
    found = SimilarityMap.from_json(taken)
    assert found.source == f"an archive: {shipped.source}"
    assert CalibrationBody.measured(found, own=True).from_archive
    assert not CalibrationBody.measured(shipped, own=True).from_archive
    assert found.threshold(1e-3) == pytest.approx(shipped.threshold(1e-3) - 0.05, abs=1e-3)


def test_archive_without_a_calibration_has_none(shipped: SimilarityMap) -> None:
    assert checked_calibration(_entry(shipped, None), shipped) is None


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda known: {**known.to_json(), "digest": "b" * 64}, "with other weights"),
        (lambda known: {**known.to_json(), "people": 0, "pairs": 0}, "on nobody"),
        (lambda known: {**known.to_json(), "log_fmr": list(known.log_fmr[::-1])}, "rates must"),
        (lambda _: {"format": 1}, "not a calibration"),
        (lambda known: _shifted(known, 0.15), "not plausible"),
    ],
)
def test_others_are_refused(shipped: SimilarityMap, change: Any, fact: str) -> None:
    with pytest.raises(ArchivedCalibrationUnusable, match=fact):
        checked_calibration(_entry(shipped, change(shipped)), shipped)


def test_embedder_without_a_calibration_has_a_bound_as_well(shipped: SimilarityMap) -> None:
    assert checked_calibration(_entry(shipped, _shifted(shipped, 0.15)), None) is not None
    with pytest.raises(ArchivedCalibrationUnusable, match="not plausible"):
        checked_calibration(_entry(shipped, _shifted(shipped, 0.45)), None)
