"""Score the liveness of photos on disk, and fit a threshold on the scores."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.datasets.photo_listing import photos_below
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
"""BPCERs at which rates are listed, if there are enough captures to measure them."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A photo on disk. `species` is the kind of attack; empty for a genuine face."""

    path: Path
    species: str = ""


@dataclass(frozen=True, slots=True)
class ScoredCapture:
    """The `liveness` of the largest face; None if there is no face or for another `error`."""

    capture: Capture
    liveness: Liveness | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LivenessFit:
    """A threshold, and error rates measured on captures.

    `chosen` are those of `fitted`, `others` are for comparison. `without_face` were not scored, and
    count in no rate: liveness does not decide about them.
    """

    fitted: FittedThreshold
    chosen: LivenessRates
    others: tuple[LivenessRates, ...]
    eer: EqualErrorRate
    without_face: tuple[ScoredCapture, ...]


def list_captures(folder: Path, *, attacks: bool = False) -> list[Capture]:
    """List the photos in a folder and below it. Raises InvalidRequest if there are none.

    Of `attacks`, each folder in `folder` is a species, and photos beside these folders are of a
    species with the folder's own name.
    """
    captures = []
    for path in photos_below(folder):
        parts = path.relative_to(folder).parts
        species = parts[0] if len(parts) > 1 else folder.resolve().name
        if not any(part.startswith(".") for part in parts):
            captures.append(Capture(path, species if attacks else ""))
    if not captures:
        raise InvalidRequest(f"{folder} has no photos")
    return captures


async def score_captures(
    recognizer: Recognizer,
    captures: Sequence[Capture],
    progress: Callable[[], None] = lambda: None,
) -> list[ScoredCapture]:
    """Score the largest face of each photo, in order. `progress` is called after each photo.

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
    """Fit the highest threshold that rejects at most `target_bpcer` of the genuine captures.

    Raises LivenessNotMeasurable if there are too few captures.
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
    chosen = rates_at(threshold_at_bpcer(genuine, target_bpcer), genuine, attacks)
    others = (rates_at(threshold, genuine, attacks) for threshold in (*shown, eer.threshold))
    fitted = FittedThreshold(
        networks=scorer.names,
        digest=scorer.digest,
        threshold=chosen.threshold,
        target_bpcer=target_bpcer,
        bpcer=asdict(chosen.bpcer),
        apcer=asdict(chosen)["apcer"],
    )
    without_face = tuple(one for one in scored if one.liveness is None)
    return LivenessFit(fitted, chosen, tuple(others), eer, without_face)


def _by_kind(scored: Sequence[ScoredCapture]) -> tuple[Scores, Mapping[str, Scores]]:
    """Return the scores of genuine faces, and those of attacks by species."""
    scores: dict[str, list[float]] = {}
    for one in scored:
        if one.liveness is not None:
            scores.setdefault(one.capture.species, []).append(one.liveness.score)
    arrays = {species: np.asarray(values) for species, values in sorted(scores.items())}
    return arrays.pop("", np.empty(0)), arrays
