"""What a similarity means: the chance that two strangers, or one among many, are at least as alike.

`SimilarityMap` answers it; `measure.py` makes one from embeddings of people.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Gains = tuple[tuple[float, float], ...]
"""Pairs (examples, gain); see `SimilarityMap.template_gain`."""

_SMALLEST_LOG = -12.0
"""log10 of the least FMR that is reported: nothing near it can be measured."""

_FORMAT = 1
_SPREADS = (-4.0, 8.0)  # log10 of shapes, from wolves and lambs to equal probes
_ROWS = ("similarities", "log_fmr", "log_low", "log_high", "log_spread")


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A false match (or false positive identification) rate, 0 to 1, with its 95 % interval.

    `extrapolated`: it lies beyond the data, on the fitted tail.
    """

    value: float
    low: float
    high: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class SimilarityMap:
    """The false match rate at each similarity, of one embedder on one population.

    `similarities` ascend, (K,); `log_fmr`, `log_low` and `log_high` are log10 of the FMR there and
    of its 95 % interval, and fall. Between them the logarithms are linear. Above `data_ends` they
    follow the fitted tail. FMR is over pairs of different people, each pair of people counting
    once, however many photos of them there are: the chance that two strangers match.

    `log_spread` (K,) is how unlike probes are: each has an FMR of its own, gamma distributed
    around that of the map with this log10 of the shape ("wolves" and "lambs", Doddington et al.,
    1998). So a probe without a match among n is more frequent than with equal ones.

    `template_gain` are pairs (examples, gain): a person with so many examples is matched by
    strangers that many times as often as one with a single example.

    `people`, `photos` and `pairs` count what was measured; `source` says on what, `digest` is the
    SHA-256 of the network's weights.
    """

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

        With `examples` of the one, by their mean (see `template_gain`).
        """
        gain = self.gain(examples)
        value, low, high = (
            min(1.0, gain * 10.0 ** self._at(similarity, values))
            for values in (self.log_fmr, self.log_low, self.log_high)
        )
        return ErrorRate(value, low, high, similarity > self.data_ends)

    def threshold(self, fmr: float) -> float:
        """The least similarity whose FMR is at most `fmr` (0 to 1, exclusive); 1.0 at the most."""
        wanted = math.log10(fmr)
        if wanted < self.log_fmr[-1]:
            return 1.0
        # Ascending rates for np.interp: the map read backwards.
        return float(np.interp(wanted, self.log_fmr[::-1], self.similarities[::-1]))

    def fpir(self, similarity: float, *, people: int, faces: int) -> ErrorRate:
        """The chance that a stranger is at least this similar to somebody of a gallery.

        1 - (1 - FMR)^n when all probes are alike (ISO/IEC 19795-1's binomial model); with FMRs that
        are gamma distributed over probes, 1 - (1 - n log(1 - FMR) / k)^(-k). n is the number of
        people, each counting as often as their examples make them match; the upper limit is the
        binomial model's.
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
        """The least similarity whose FPIR in such a gallery is at most `fpir`; 1.0 at the most.

        An empty gallery is taken for one of one person.
        """
        return _identification_threshold(self, fpir, people, faces)

    def comparisons(self, *, people: int, faces: int) -> float:
        """How many people with one example each a gallery counts as.

        From the mean number of examples: for unequal ones it is rather too many, as gains flatten.
        """
        people = max(1, min(people, faces))
        return people * self.gain(max(1.0, faces / people))

    def gain(self, examples: float) -> float:
        return gain_at(self.template_gain, examples)

    def thresholds(self) -> dict[float, float]:
        """The similarity of each decade of FMR that the data reaches; of 1e-6, on the tail."""
        return {fmr: self.threshold(fmr) for fmr in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)}

    def to_json(self) -> dict[str, Any]:
        """As JSON, to more digits than the data has."""
        values = asdict(self)
        for name in _ROWS:
            values[name] = [round(value, 5) for value in values[name]]
        values["template_gain"] = [[count, round(gain, 5)] for count, gain in self.template_gain]
        return {"format": _FORMAT, **values}

    def dumps(self) -> str:
        """The text of a file: a line for each field."""
        lines = [f" {json.dumps(name)}: {json.dumps(v)}" for name, v in self.to_json().items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SimilarityMap":
        """Raises ValueError when it is not what `to_json` made."""
        if not isinstance(stored, Mapping) or stored.get("format") != _FORMAT:
            raise ValueError("not a calibration of this version; calibrate again")
        values = {name: value for name, value in stored.items() if name != "format"}
        try:
            for name in _ROWS:
                values[name] = tuple(float(value) for value in values[name])
            pairs = values["template_gain"]
            values["template_gain"] = tuple((float(count), float(gain)) for count, gain in pairs)
            values["data_ends"] = float(values["data_ends"])
            made = cls(**values)
            made.check()
        except (KeyError, TypeError, OverflowError, ValueError) as error:
            raise ValueError(f"not a calibration: {error}") from error
        return made

    def check(self) -> None:
        """Raises ValueError unless it is whole: similarities ascend, rates fall, gains grow."""
        size = len(self.similarities)
        rates = (self.log_low, self.log_fmr, self.log_high)
        if size < 2 or any(len(row) != size for row in (*rates, self.log_spread)):
            raise ValueError("rows must be equally long, and 2 at least")
        table = np.array([self.similarities, *rates, self.log_spread])
        if not np.isfinite(table).all() or not np.isfinite(self.data_ends):
            raise ValueError("rows must be finite")
        if (np.diff(table[0]) <= 0).any() or np.abs(table[0]).max() > 1:
            raise ValueError("similarities must ascend, from -1 to 1")
        if (np.diff(table[1:4], axis=1) > 0).any() or table[1:4].max() > 0:
            raise ValueError("rates must fall, from 1 at the most")
        if (np.diff(table[1:4], axis=0) < 0).any():
            raise ValueError("rates must lie in their intervals")
        if (np.diff(table[4]) > 0).any() or not _SPREADS[0] <= table[4].min() <= _SPREADS[1]:
            raise ValueError("the spread must fall")
        counts, gains = np.array(self.template_gain, dtype=np.float64).reshape(-1, 2).T
        if not len(counts) or counts[0] != 1 or (np.diff(counts) <= 0).any():
            raise ValueError("template gains must be of 1 and more examples")
        if not np.isfinite(gains).all() or gains[0] < 1 or (np.diff(gains) < 0).any():
            raise ValueError("template gains must grow")
        if not all(isinstance(count, int) for count in (self.people, self.photos, self.pairs)):
            raise ValueError("people, photos and pairs must be counts")
        if not all(isinstance(text, str) for text in (self.embedder, self.digest, self.source)):
            raise ValueError("embedder, digest and source must be texts")

    def _at(self, similarity: float, values: tuple[float, ...]) -> float:
        return float(np.interp(similarity, self.similarities, values))


@lru_cache(maxsize=4_096)  # a gallery of one size is asked for it again and again
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
    """The gain of so many examples, between those of `pairs`."""
    counts, gains = zip(*pairs, strict=True)
    return float(np.interp(examples, counts, gains))


def clamp_log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10 of rates, not below the least that is reported."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(values), _SMALLEST_LOG)


def _any_of(count: float, fmr: float, shape: float) -> float:
    """Chance of at least one match among `count`, by FMRs of this gamma shape over probes.

    Gamma distributed is -log(1 - FMR), so that of equal probes it is the binomial model to the
    digit.
    """
    rate = -math.log1p(-min(fmr, 1 - 1e-16))
    return -math.expm1(-shape * math.log1p(count * rate / shape))
