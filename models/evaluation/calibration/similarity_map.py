"""Error rates of a similarity: the chance that strangers are at least this similar.

`measure_map.py` makes a `SimilarityMap` from embeddings of people.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter

Gains = tuple[tuple[float, float], ...]
"""Pairs (examples, gain); see `SimilarityMap.template_gain`."""

_SMALLEST_LOG = -12.0
"""log10 of the lowest FMR that is reported; such a rate cannot be measured."""

_FORMAT = 1
_SPREADS = (-4.0, 8.0)  # log10 of gamma shapes, from very unequal probes to equal ones
_ROWS = ("similarities", "log_fmr", "log_low", "log_high", "log_spread")


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A false match (or false positive identification) rate, 0 to 1, with its 95 % interval.

    `extrapolated`: it lies on the fitted tail, beyond the data.
    """

    value: float
    low: float
    high: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class SimilarityMap:
    """The false match rate at each similarity, of one embedder on one population.

    `similarities` (K,) ascend. `log_fmr`, `log_low` and `log_high` (K,) fall: log10 of the FMR at
    each similarity and of its 95 % interval, linear between them. Above `data_ends` they follow the
    fitted tail. The FMR is the chance that two strangers match: each pair of people counts once,
    however many photos they have.

    `log_spread` (K,) is the difference between probes: each probe has its own FMR, gamma
    distributed around that of the map with this log10 of the shape ("wolves" and "lambs",
    Doddington et al., 1998). A probe without a match among n people is then more frequent than with
    equal probes.

    `template_gain` are pairs (examples, gain): strangers match a person with this number of
    examples `gain` times as often as a person with one example.

    `people`, `photos` and `pairs` are the numbers of what was measured, and `source` describes it.
    `digest` is the SHA-256 of the network's weights.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", allow_inf_nan=False)

    embedder: str
    digest: str
    source: str
    people: int
    photos: int
    pairs: int
    similarities: tuple[float, ...]
    log_fmr: tuple[float, ...]
    log_low: tuple[float, ...]
    log_high: tuple[float, ...]
    log_spread: tuple[float, ...]
    data_ends: float
    template_gain: Gains = ((1.0, 1.0),)

    def fmr(self, similarity: float, *, examples: float = 1.0) -> ErrorRate:
        """The chance that two strangers are at least this similar.

        `examples` is the number of examples of one of them (see `template_gain`).
        """
        gain = self.gain(examples)
        value, low, high = (
            min(1.0, gain * 10.0 ** self._at(similarity, values))
            for values in (self.log_fmr, self.log_low, self.log_high)
        )
        return ErrorRate(value, low, high, similarity > self.data_ends)

    def threshold(self, fmr: float) -> float:
        """The lowest similarity whose FMR is at most `fmr` (0 to 1, exclusive); at most 1.0."""
        wanted = math.log10(fmr)
        if wanted < self.log_fmr[-1]:
            return 1.0
        # np.interp needs ascending rates: the map is read backwards.
        return float(np.interp(wanted, self.log_fmr[::-1], self.similarities[::-1]))

    def fpir(self, similarity: float, *, people: int, faces: int) -> ErrorRate:
        """The chance that a stranger is at least this similar to any person of a gallery.

        1 - (1 - FMR)^n when all probes are equal (the binomial model of ISO/IEC 19795-1); with FMRs
        that are gamma distributed over probes, 1 - (1 - n log(1 - FMR) / k)^(-k), k the shape. n is
        `comparisons`. The upper limit is that of the binomial model.
        """
        count = self.comparisons(people=people, faces=faces)
        fmr = self.fmr(similarity)
        shape = 10.0 ** self._at(similarity, self.log_spread)
        return ErrorRate(
            value=_any_of(count, fmr.value, shape),
            low=_any_of(count, fmr.low, shape),
            high=-math.expm1(count * math.log1p(-min(fmr.high, 1 - 1e-16))),
            extrapolated=fmr.extrapolated,
        )

    def identification_threshold(self, fpir: float, *, people: int, faces: int) -> float:
        """The lowest similarity whose FPIR in such a gallery is at most `fpir`; at most 1.0.

        An empty gallery counts as one person.
        """
        return _identification_threshold(self, fpir, people, faces)

    def comparisons(self, *, people: int, faces: int) -> float:
        """The number of people with one example each that match strangers as often as the gallery.

        It follows from the mean number of examples. For unequal numbers it is a little too large,
        as gains flatten.
        """
        people = max(1, min(people, faces))
        return people * self.gain(max(1.0, faces / people))

    def gain(self, examples: float) -> float:
        """The gain of a person with this number of examples."""
        return gain_at(self.template_gain, examples)

    def thresholds(self) -> dict[float, float]:
        """The similarity at each decade of FMR from 1e-2 to 1e-6, by FMR."""
        return {fmr: self.threshold(fmr) for fmr in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)}

    def to_json(self) -> dict[str, Any]:
        """The map for JSON, with more digits than the data has."""
        values = asdict(self)
        for name in _ROWS:
            values[name] = [round(value, 5) for value in values[name]]
        values["template_gain"] = [[count, round(gain, 5)] for count, gain in self.template_gain]
        return {"format": _FORMAT, **values}

    def dumps(self) -> str:
        """The text of a file, with a line for each field."""
        lines = [f" {json.dumps(name)}: {json.dumps(v)}" for name, v in self.to_json().items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SimilarityMap":
        """Raises ValueError when it is not what `to_json` made."""
        if not isinstance(stored, Mapping) or stored.get("format") != _FORMAT:
            raise ValueError("not a calibration of this version; calibrate again")
        values = {name: value for name, value in stored.items() if name != "format"}
        try:
            made = _STORED.validate_python(values)
            made.check()
        except ValueError as error:
            raise ValueError(f"not a calibration: {error}") from error
        return made

    def check(self) -> None:
        """Raises ValueError unless similarities ascend, rates and spread fall, and gains grow."""
        size = len(self.similarities)
        rates = (self.log_low, self.log_fmr, self.log_high)
        if size < 2 or any(len(row) != size for row in (*rates, self.log_spread)):
            raise ValueError("rows must be equally long, and at least 2")
        table = np.array([self.similarities, *rates, self.log_spread])
        if (np.diff(table[0]) <= 0).any() or np.abs(table[0]).max() > 1:
            raise ValueError("similarities must ascend, from -1 to 1")
        if (np.diff(table[1:4], axis=1) > 0).any() or table[1:4].max() > 0:
            raise ValueError("rates must fall, from at most 1")
        if (np.diff(table[1:4], axis=0) < 0).any():
            raise ValueError("rates must lie in their intervals")
        if (np.diff(table[4]) > 0).any() or not _SPREADS[0] <= table[4].min() <= _SPREADS[1]:
            raise ValueError("the spread must fall")
        counts, gains = np.array(self.template_gain, dtype=np.float64).reshape(-1, 2).T
        if not len(counts) or counts[0] != 1 or (np.diff(counts) <= 0).any():
            raise ValueError("template gains must be of 1 and more examples")
        if gains[0] < 1 or (np.diff(gains) < 0).any():
            raise ValueError("template gains must grow")

    def _at(self, similarity: float, values: tuple[float, ...]) -> float:
        return _interpolated(similarity, self.similarities, values)


_STORED = TypeAdapter(SimilarityMap)


@lru_cache(maxsize=4_096)  # searches of a gallery need the same value
def _identification_threshold(rates: SimilarityMap, fpir: float, people: int, faces: int) -> float:
    low, high = rates.similarities[0], 1.0
    if rates.fpir(high, people=people, faces=faces).value > fpir:
        return 1.0
    if rates.fpir(low, people=people, faces=faces).value <= fpir:
        return low
    while high - low > 1e-7:
        middle = (low + high) / 2
        if rates.fpir(middle, people=people, faces=faces).value > fpir:
            low = middle
        else:
            high = middle
    return high


def gain_at(pairs: Gains, examples: float) -> float:
    """The gain of this number of examples, interpolated between `pairs`."""
    counts, gains = zip(*pairs, strict=True)
    return _interpolated(examples, counts, gains)


def _interpolated(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Interpolate as `np.interp` does, to the last digit; it makes arrays of both rows first, which
    takes 30 times as long."""
    after = bisect_right(xs, x)
    if after == 0:
        return ys[0]
    if after == len(xs):
        return ys[-1]
    before = after - 1
    slope = (ys[after] - ys[before]) / (xs[after] - xs[before])
    return slope * (x - xs[before]) + ys[before]


def clamp_log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10 of rates, at least that of the lowest reported rate."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(values), _SMALLEST_LOG)


def _any_of(count: float, fmr: float, shape: float) -> float:
    """The chance of at least one match among `count`, with this gamma shape of FMRs over probes.

    -log(1 - FMR) is gamma distributed, so that equal probes give exactly the binomial model.
    """
    rate = -math.log1p(-min(fmr, 1 - 1e-16))
    return -math.expm1(-shape * math.log1p(count * rate / shape))
