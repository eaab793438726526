"""Liveness scores of photos on disk, and a threshold fitted on them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from app.datasets.photo_listing import PHOTO_SUFFIXES
from app.errors import InputError, InvalidRequest, LivenessNotMeasurable
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.liveness.liveness_thresholds import FittedThreshold
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_face
from app.recognition.types import Liveness
from app.runtime.gather import in_turns
from models.evaluation.errors import NotMeasurableError
from models.evaluation.protocols.presentation_attacks import (
    EqualErrorRate,
    LivenessRates,
    Scores,
    equal_error_rate,
    rates_at,
    require_enough,
    threshold_at_bpcer,
)

_TARGETS = (0.001, 0.003, 0.01, 0.03, 0.1)
"""BPCERs at which the rates are listed, as far as there are enough captures to show them."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A photo on disk. `species`: the kind of attack; empty for a genuine face."""

    path: Path
    species: str = ""


@dataclass(frozen=True, slots=True)
class ScoredCapture:
    """`liveness` of the largest face; None where there is none, or for the `error`."""

    capture: Capture
    liveness: Liveness | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LivenessFit:
    """What was measured on captures.

    `chosen` has the wanted BPCER, `others` are for comparison. `without_face` were not scored: what
    a service does with them, liveness does not decide.
    """

    networks: tuple[str, ...]
    digest: str
    target_bpcer: float
    chosen: LivenessRates
    others: tuple[LivenessRates, ...]
    eer: EqualErrorRate
    without_face: tuple[ScoredCapture, ...] = field(default=())

    @property
    def fitted(self) -> FittedThreshold:
        return FittedThreshold(
            networks=self.networks,
            digest=self.digest,
            threshold=self.chosen.threshold,
            target_bpcer=self.target_bpcer,
            bpcer=asdict(self.chosen.bpcer),
            apcer={species: asdict(rate) for species, rate in self.chosen.apcer.items()},
        )


def genuine_captures(folder: Path) -> list[Capture]:
    """The photos in a folder, and in all folders below it. Raises InvalidRequest without any."""
    return _required([Capture(path) for path in _photos(folder)], folder)


def attack_captures(folder: Path) -> list[Capture]:
    """The photos of attacks: a folder in it is a species; photos beside these are of the species
    that has the folder's own name. Raises InvalidRequest without any."""
    captures = []
    for path in _photos(folder):
        inside = path.relative_to(folder).parts
        captures.append(Capture(path, inside[0] if len(inside) > 1 else folder.resolve().name))
    return _required(captures, folder)


async def score_captures(
    recognizer: Recognizer,
    captures: Sequence[Capture],
    progress: Callable[[], None] = lambda: None,
) -> list[ScoredCapture]:
    """Score the largest face of each photo, in the order given; `progress` is called after each.

    Raises LivenessOff.
    """
    recognizer.require_liveness()

    async def score(capture: Capture) -> ScoredCapture:
        try:
            photo = await asyncio.to_thread(capture.path.read_bytes)
            found = await recognizer.detect(photo, liveness=largest_face)
        except InputError as error:
            return ScoredCapture(capture, None, str(error))
        except OSError as error:
            return ScoredCapture(capture, None, f"it cannot be read ({error.strerror})")
        if not found.faces:
            return ScoredCapture(capture, None, "no face was found")
        return ScoredCapture(capture, found.faces[0].liveness)

    return await in_turns(captures, score, at_once=recognizer.concurrency, progress=progress)


def fit_threshold(
    scored: Sequence[ScoredCapture], scorer: LivenessScorer, *, target_bpcer: float
) -> LivenessFit:
    """The highest threshold that turns away at most that share of the genuine captures.

    Raises LivenessNotMeasurable with too few captures.
    """
    genuine, attacks = _by_kind(scored)
    try:
        require_enough(genuine, attacks, target_bpcer=target_bpcer)
    except NotMeasurableError as error:
        raise LivenessNotMeasurable(str(error)) from error
    eer = equal_error_rate(genuine, attacks)
    shown = [
        threshold_at_bpcer(genuine, target)
        for target in _TARGETS
        if target != target_bpcer and len(genuine) >= 1 / target
    ]
    return LivenessFit(
        networks=scorer.names,
        digest=scorer.digest,
        target_bpcer=target_bpcer,
        chosen=rates_at(threshold_at_bpcer(genuine, target_bpcer), genuine, attacks),
        others=tuple(
            rates_at(threshold, genuine, attacks) for threshold in (*shown, eer.threshold)
        ),
        eer=eer,
        without_face=tuple(one for one in scored if one.liveness is None),
    )


def _by_kind(scored: Sequence[ScoredCapture]) -> tuple[Scores, Mapping[str, Scores]]:
    """The scores of genuine faces, and those of attacks by species."""
    scores: dict[str, list[float]] = {}
    for one in scored:
        if one.liveness is not None:
            scores.setdefault(one.capture.species, []).append(one.liveness.score)
    arrays = {species: np.asarray(values) for species, values in sorted(scores.items())}
    return arrays.pop("", np.empty(0)), arrays


def _photos(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in PHOTO_SUFFIXES and not hidden and path.is_file():
            yield path


def _required(captures: list[Capture], folder: Path) -> list[Capture]:
    if not captures:
        raise InvalidRequest(f"{folder} has no photos")
    return captures
