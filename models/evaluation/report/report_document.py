"""The values of a report. A figure has a key, such as all_pairs.fnmr_at_fmr.1e-3."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.resample import LEVEL, Replicates, interval, none_seen

FORMAT = "vultus-evaluation/1"

Kind = Literal["share", "similarity", "ratio", "count"]
Scale = Literal["linear", "log"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, its confidence interval, and its value in each replicate of the bootstrap."""

    key: str
    title: str
    value: float
    kind: Kind = "share"
    interval: tuple[float, float] | None = None
    replicates: Replicates | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a plot, (points,) each; `band` are the ends of the intervals of y."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    key: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report. `notes` describe the measurement, and what it leaves out."""

    title: str
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`about` describes the photos, the network, and how to draw the same replicates."""

    about: Mapping[str, Any]
    sections: tuple[Section, ...] = field(default=())

    def figures(self) -> Iterator[Figure]:
        for section in self.sections:
            yield from section.figures


def measured(
    key: str,
    title: str,
    value: float,
    replicates: Replicates,
    *,
    kind: Kind = "share",
    independent: int | None = None,
) -> Figure:
    """A figure with the interval of its replicates.

    The number of `independent` trials gives the interval of a share of exactly 0 or 1, for which
    all replicates are equal.
    """
    ends = interval(replicates)
    if independent is not None and value == 0:
        ends = none_seen(independent)
    elif independent is not None and value == 1:
        low, high = none_seen(independent)
        ends = 1 - high, 1 - low
    return Figure(key, title, value, kind, ends, replicates)


def count(key: str, title: str, value: int) -> Figure:
    return Figure(key, title, float(value), "count")


def rate_name(rate: float) -> str:
    """The text of a rate: 1e-3 for a power of ten, else such as 0.002."""
    exponent = math.log10(rate)
    if abs(exponent - round(exponent)) < 1e-9:
        return f"1e{round(exponent)}"
    return f"{rate:g}"


def as_json(report: Report) -> dict[str, Any]:
    """The report for JSON; NaN and infinity become null."""
    return {
        "format": FORMAT,
        "about": dict(report.about),
        "level": LEVEL,
        "sections": [
            {
                "title": section.title,
                "notes": list(section.notes),
                "figures": [figure.key for figure in section.figures],
                "plots": [_plot(plot) for plot in section.plots],
            }
            for section in report.sections
        ],
        "figures": {figure.key: _figure(figure) for figure in report.figures()},
        # With them, a later run on the same photos can be compared replicate by replicate.
        "replicates": {
            figure.key: _numbers(figure.replicates)
            for figure in report.figures()
            if figure.replicates is not None
        },
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "title": figure.title,
        "kind": figure.kind,
        "value": _number(figure.value, digits=10),
        "interval": None if figure.interval is None else _numbers(figure.interval),
    }


def _plot(plot: Plot) -> dict[str, Any]:
    return {
        "key": plot.key,
        "title": plot.title,
        "x": plot.x_label,
        "y": plot.y_label,
        "series": [
            {"name": one.name, "x": _numbers(one.x), "y": _numbers(one.y)} for one in plot.series
        ],
    }


def _numbers(values: NDArray[np.floating] | tuple[float, ...]) -> list[float | None]:
    return [_number(float(value)) for value in values]


def _number(value: float, digits: int = 6) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
