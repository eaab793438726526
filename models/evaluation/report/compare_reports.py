"""Comparison of two runs: the difference of each figure, with an interval if they are paired.

Two networks make similar errors on the same photos, so that the difference is known more exactly
than either figure. A run draws its people from the seed and their number alone. Two runs on the
same photos with the same options therefore have the same replicates, and the interval of the
difference is that of the differences of replicates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.evaluation.errors import NotAReportError
from models.evaluation.report.report_document import FORMAT
from models.evaluation.statistics.resample import interval


@dataclass(frozen=True, slots=True)
class Difference:
    """`difference` is `now` minus `then`; its `interval` is None where the runs are not paired."""

    key: str
    title: str
    kind: str
    now: float
    then: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        return self.now - self.then

    @property
    def certain(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`unpaired` is the reason for missing intervals, or None."""

    differences: tuple[Difference, ...]
    unpaired: str | None


def compare(now: Mapping[str, Any], then: Mapping[str, Any]) -> Comparison:
    """Compare two reports in the form of `as_json`, for each figure that both have.

    Raises NotAReportError where `then` is not such a report.
    """
    parts = [then.get(name) for name in ("figures", "about", "replicates")]
    if then.get("format") == FORMAT and isinstance(parts[0], dict) and parts[2] is None:
        raise NotAReportError("the earlier report is without its replicates")
    if then.get("format") != FORMAT or not all(isinstance(part, dict) for part in parts):
        raise NotAReportError(f"the earlier report is no report of the format {FORMAT}")
    unpaired = _unpaired(now["about"], then["about"])
    differences = []
    for key, figure in now["figures"].items():
        earlier = then["figures"].get(key)
        if earlier is None or figure["value"] is None or earlier["value"] is None:
            continue
        ends = None
        if unpaired is None and key in now["replicates"] and key in then["replicates"]:
            first, second = (_array(one["replicates"][key]) for one in (now, then))
            if len(first) == len(second):
                ends = interval(first - second)
        differences.append(
            Difference(
                key, figure["title"], figure["kind"], figure["value"], earlier["value"], ends
            )
        )
    return Comparison(tuple(differences), unpaired)


def as_json(comparison: Comparison, earlier: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "against": {"model": earlier["about"].get("model"), "made": earlier["about"].get("made")},
        "unpaired": comparison.unpaired,
        "differences": {
            one.key: {
                "now": one.now,
                "then": one.then,
                "difference": one.difference,
                "interval": None if one.interval is None else list(one.interval),
            }
            for one in comparison.differences
        },
    }


def _unpaired(now: Mapping[str, Any], then: Mapping[str, Any]) -> str | None:
    for key, reason in (
        ("photos_digest", "the runs are not on the same photos of the same people"),
        ("pairs_digest", "the runs are not on the same list of pairs"),
    ):
        if now.get(key) != then.get(key):
            return reason
    drawn = ("replicates", "seed", "enroll_photos", "enrolled_share")
    differing = [name for name in drawn if now["options"][name] != then["options"].get(name)]
    if differing:
        return f"the runs differ in {', '.join(differing)}"
    return None


def _array(values: list[float | None]) -> Any:  # noqa: ANN401  (null is not a number)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
