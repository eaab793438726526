"""`vultus liveness`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from app.cli.output import print_json, progress_bar, results, say
from app.cli.session import with_recognizer
from app.datasets.liveness_measurement import (
    Capture,
    LivenessFit,
    ScoredCapture,
    attack_captures,
    fit_threshold,
    genuine_captures,
    score_captures,
)
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.liveness.liveness_thresholds import LivenessThresholds
from app.recognition.pipeline import Recognizer
from app.settings import Settings
from models.evaluation.protocols.presentation_attacks import LivenessRates, Rate
from models.zoo.network import Network


def score(*, photos: Sequence[Path], as_json: bool) -> None:
    """Print the score of each photo's largest face. Exit status 3: some were not scored."""
    _, _, scored = _scored([Capture(photo) for photo in photos])
    if as_json:
        print_json([_scored_json(one) for one in scored])
    else:
        table = Table("photo", "score", "threshold", "live")
        for one in scored:
            table.add_row(str(one.capture.path), *_cells(one))
        results.print(table)
    if any(one.liveness is None for one in scored):
        raise typer.Exit(3)


def fit(*, genuine: Path, attacks: Path, target_bpcer: float, dry_run: bool, as_json: bool) -> None:
    """Score both folders, print the error rates, and keep the threshold."""
    if not 0 < target_bpcer < 1:
        raise typer.BadParameter("--target-bpcer must lie between 0 and 1")
    captures = [*genuine_captures(genuine), *attack_captures(attacks)]
    settings, scorer, scored = _scored(captures)
    found = fit_threshold(scored, scorer, target_bpcer=target_bpcer)
    kept = None
    if not dry_run:
        kept = LivenessThresholds(settings.liveness_dir).save(found.fitted)
    if as_json:
        print_json(_fit_json(found))
        return
    results.print(_table(found))
    say(f"EER {found.eer.value:.4f}, at the threshold {found.eer.threshold:.4f}")
    for one in found.without_face:
        say(f"not scored: {one.capture.path}: {one.error}")
    if kept is None:
        say(f"VULTUS_LIVENESS__THRESHOLD={found.chosen.threshold!r}")
    elif settings.liveness.threshold is None:
        say(f"kept in {kept}; it counts from the next start of the service on")
    else:
        say(f"kept in {kept}; VULTUS_LIVENESS__THRESHOLD overrides it until it is removed")


def _scored(
    captures: Sequence[Capture],
) -> tuple[Settings, LivenessScorer, list[ScoredCapture]]:
    async def use(
        settings: Settings, _: Network, recognizer: Recognizer
    ) -> tuple[Settings, LivenessScorer, list[ScoredCapture]]:
        with progress_bar("scoring") as progress:
            task = progress.add_task("photos", total=len(captures))
            scored = await score_captures(recognizer, captures, lambda: progress.advance(task))
        return settings, recognizer.require_liveness(), scored

    return with_recognizer(use, liveness=True)


def _cells(one: ScoredCapture) -> tuple[str, str, str]:
    if one.liveness is None:
        return one.error, "", ""
    threshold, live = one.liveness.threshold, one.liveness.live
    return (
        f"{one.liveness.score:.4f}",
        "none" if threshold is None else f"{threshold:.4f}",
        "" if live is None else "yes" if live else "no",
    )


def _table(found: LivenessFit) -> Table:
    species = list(found.chosen.apcer)
    table = Table(
        "threshold",
        "BPCER",
        *(f"APCER {name}" for name in species),
        title=f"{found.chosen.bpcer.count:,} genuine captures and "
        f"{sum(rate.count for rate in found.chosen.apcer.values()):,} attacks, by "
        f"{' and '.join(found.networks)}",
        caption="In brackets: 95 % interval by Wilson's score. The first row is the threshold for "
        f"a BPCER of {found.target_bpcer:g}.",
    )
    for rates in (found.chosen, *found.others):
        table.add_row(
            f"{rates.threshold:.4f}",
            _rate_text(rates.bpcer),
            *(_rate_text(rates.apcer[name]) for name in species),
        )
    return table


def _rate_text(rate: Rate) -> str:
    return f"{rate.value:.4f} [{rate.low:.4f}, {rate.high:.4f}]"


def _scored_json(one: ScoredCapture) -> dict[str, Any]:
    liveness = one.liveness
    return {
        "photo": str(one.capture.path),
        "score": None if liveness is None else liveness.score,
        "threshold": None if liveness is None else liveness.threshold,
        "live": None if liveness is None else liveness.live,
        "error": one.error or None,
    }


def _fit_json(found: LivenessFit) -> dict[str, Any]:
    return {
        "networks": list(found.networks),
        "target_bpcer": found.target_bpcer,
        **_rates_json(found.chosen),
        "others": [_rates_json(rates) for rates in found.others],
        "eer": asdict(found.eer),
        "not_scored": [
            {"photo": str(one.capture.path), "error": one.error} for one in found.without_face
        ],
    }


def _rates_json(rates: LivenessRates) -> dict[str, Any]:
    return {
        "threshold": rates.threshold,
        "bpcer": asdict(rates.bpcer),
        "apcer": {species: asdict(rate) for species, rate in rates.apcer.items()},
        "worst_species": rates.worst,
    }
