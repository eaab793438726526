"""Two runs: the difference of each figure, with an interval where they are paired.

Two networks on the same photos make much the same errors on the same people, so the difference is
known far better than either figure. A run draws its people from the seed and their number alone.
So where two runs are on the same photos with the same options, the replicates belong together one
by one, and the interval of the difference is that of the replicates' differences.
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
    """`difference` is now less then; its `interval` is None where the runs are not paired."""

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
        """Whether the interval leaves no room for no difference."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`unpaired` is the reason why there are no intervals, or None."""

    differences: tuple[Difference, ...]
    unpaired: str | None


def compare(now: Mapping[str, Any], then: Mapping[str, Any]) -> Comparison:
    """Compare reports as `as_json` makes them, figure by figure, where both have it.

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
