"""`vultus liveness`."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from app.api.schemas.parts.photo_faces import LivenessBody
from app.cli.output import finish, progress_bar, show
from app.cli.session import Loaded, loaded_networks
from app.datasets.liveness_measurement import (
    Capture,
    LivenessFit,
    ScoredCapture,
    fit_threshold,
    list_captures,
    score_captures,
)
from app.recognition.liveness.liveness_thresholds import LivenessThresholds
from models.evaluation.protocols.presentation_attacks import LivenessRates, Rate

_NO_LIVENESS = dict.fromkeys(LivenessBody.model_fields)


def score(photos: Sequence[Path], *, as_json: bool) -> None:
    """Score the largest face of each photo."""
    with loaded_networks(liveness=True) as loaded:
        scored = asyncio.run(_score(loaded, [Capture(photo) for photo in photos]))
    table = Table("photo", "score", "threshold", "live")
    for one in scored:
        table.add_row(str(one.capture.path), *_cells(one))
    show([_scored_json(one) for one in scored], table, as_json=as_json)
    finish(complete=all(one.liveness is not None for one in scored))


def fit(genuine: Path, attacks: Path, *, target_bpcer: float, dry_run: bool, as_json: bool) -> None:
    """Fit the threshold on captures, measure its error rates, and save it unless `dry_run`."""
    captures = [*list_captures(genuine), *list_captures(attacks, attacks=True)]
    with loaded_networks(liveness=True) as loaded:
        scored = asyncio.run(_score(loaded, captures))
        scorer = loaded.recognizer.require_liveness()
    found = fit_threshold(scored, scorer, target_bpcer=target_bpcer)
    settings = loaded.settings
    if dry_run:
        end = f"VULTUS_LIVENESS__THRESHOLD={found.chosen.threshold!r}"
    else:
        file = LivenessThresholds(settings.liveness_dir).save(found.fitted)
        end = (
            f"kept in {file}; it counts from the next start of the service on"
            if settings.liveness.threshold is None
            else f"kept in {file}; VULTUS_LIVENESS__THRESHOLD overrides it until it is removed"
        )
    show(_fit_json(found), *_texts(found), end, as_json=as_json)


async def _score(loaded: Loaded, captures: Sequence[Capture]) -> list[ScoredCapture]:
    with progress_bar("scoring") as progress:
        task = progress.add_task("photos", total=len(captures))
        return await score_captures(loaded.recognizer, captures, lambda: progress.advance(task))


def _cells(one: ScoredCapture) -> tuple[str, str, str]:
    if one.liveness is None:
        return one.error, "", ""
    threshold, live = one.liveness.threshold, one.liveness.live
    return (
        f"{one.liveness.score:.4f}",
        "none" if threshold is None else f"{threshold:.4f}",
        "" if live is None else "yes" if live else "no",
    )


def _texts(found: LivenessFit) -> Iterator[RenderableType]:
    yield _table(found)
    yield f"EER {found.eer.value:.4f}, at the threshold {found.eer.threshold:.4f}"
    for one in found.without_face:
        yield f"not scored: {one.capture.path}: {one.error}"


def _table(found: LivenessFit) -> Table:
    species = list(found.chosen.apcer)
    table = Table(
        "threshold",
        "BPCER",
        *(f"APCER {name}" for name in species),
        title=f"{found.chosen.bpcer.count:,} genuine captures and "
        f"{sum(rate.count for rate in found.chosen.apcer.values()):,} attacks, by "
        f"{' and '.join(found.fitted.networks)}",
        caption="In brackets: 95 % interval by Wilson's score. The first row is the threshold for "
        f"a BPCER of {found.fitted.target_bpcer:g}.",
    )
    for rates in (found.chosen, *found.others):
        apcers = (_rate_text(rates.apcer[name]) for name in species)
        table.add_row(f"{rates.threshold:.4f}", _rate_text(rates.bpcer), *apcers)
    return table


def _rate_text(rate: Rate) -> str:
    return f"{rate.value:.4f} [{rate.low:.4f}, {rate.high:.4f}]"


def _scored_json(one: ScoredCapture) -> dict[str, Any]:
    liveness = one.liveness
    return {
        "photo": str(one.capture.path),
        **(_NO_LIVENESS if liveness is None else LivenessBody.of(liveness).model_dump(mode="json")),
        "error": one.error or None,
    }


def _fit_json(found: LivenessFit) -> dict[str, Any]:
    return {
        "networks": list(found.fitted.networks),
        "target_bpcer": found.fitted.target_bpcer,
        **_rates_json(found.chosen),
        "others": [_rates_json(rates) for rates in found.others],
        "eer": asdict(found.eer),
        "not_scored": [
            {"photo": str(one.capture.path), "error": one.error} for one in found.without_face
        ],
    }


def _rates_json(rates: LivenessRates) -> dict[str, Any]:
    return {**asdict(rates), "worst_species": rates.worst}
