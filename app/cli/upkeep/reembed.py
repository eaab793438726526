"""`vultus reembed`: carry a collection from one embedder to another while it serves."""

import asyncio
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from app.cli.open_database import open_database
from app.cli.output import print_json, progress_bar, results
from app.cli.session import with_services
from app.errors import CalibrationImpossible
from app.gallery.rollout.rollouts import Reembedding, Rollout
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.operations.enroll.crop_vault import CropVault
from app.operations.identify.shadow_decisions import Agreement
from app.operations.policy.calibrator import measure_people
from app.operations.rollout.embedder_choice import choose_embedder
from app.operations.rollout.enrolled_comparison import Comparison, Outcome, compare_enrolled
from app.operations.rollout.reembedder import PhotoFolder, Reembedded, Reembedder
from app.recognition.build import build_detector, load_named_network, thread_count
from app.recognition.device import resolve_device
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import ModelId
from app.services import Services
from app.services.known_thresholds import known_map
from app.settings import Settings

_SOME_LEFT = 3


def reembed(
    *,
    to: str,
    collection: str,
    photos: Path | None,
    weights: Path | None,
    as_json: bool,
) -> None:
    """Embed every enrolled face by another network, beside the one that goes on serving."""
    with open_database(upgrade=True) as (given, database):
        settings = choose_embedder(given).settings
        network = load_named_network(settings, to, weights)
        reembedder = Reembedder(
            Reembedding(database),
            NetworkEmbedder(network),
            None if photos is None else PhotoFolder(photos),
            detector=build_detector(settings),
            vault=CropVault.of(settings),
            max_pixels=settings.limits.max_pixels,
            threads=thread_count(settings, resolve_device(settings.device)),
        )
        total = Reembedding(database).look(collection).faces
        with progress_bar("embedding") as progress:
            task = progress.add_task("faces", total=total)
            done = reembedder.run(
                collection, progress=lambda count: progress.update(task, advance=count)
            )
        stands = Reembedding(database).look(collection)
        measured = _measure(settings, database, stands)
    if as_json:
        print_json({**_as_json(stands), **asdict(done), "measured": measured})
    else:
        _print_reembedded(done)
        _print_rollout(stands)
        results.print(measured, soft_wrap=True)
    raise typer.Exit(_SOME_LEFT if done.without_source else 0)


def status(*, collection: str, as_json: bool) -> None:
    """Tell where a collection stands between two networks."""
    with open_database(upgrade=True) as (_, database):
        _show(Reembedding(database).look(collection), as_json=as_json)


def shadow(*, collection: str, faces: int, as_json: bool) -> None:
    """Compare what both networks decide about enrolled faces, each looked up as if it were not."""

    async def use(services: Services) -> Comparison:
        seen = Reembedding(services.database).seen_by_both(collection, most=faces)
        with progress_bar("comparing") as progress:
            task = progress.add_task("faces", total=len(seen))
            return await asyncio.to_thread(
                compare_enrolled,
                services.search,
                services.gallery,
                collection,
                seen,
                progress=lambda: progress.advance(task),
            )

    done = with_services(use)
    if as_json:
        print_json(_comparison_as_json(done))
    else:
        _print_comparison(done)


def switch(*, collection: str, force: bool, as_json: bool) -> None:
    """Answer by the second network from now on, in every process at once."""
    with open_database(upgrade=True) as (settings, database):
        reembedding = Reembedding(database)
        second = reembedding.look(collection).second
        measured = second is not None and _is_measured(settings, database, collection, second)
        _show(reembedding.switch(collection, is_measured=measured, force=force), as_json=as_json)


def rollback(*, collection: str, force: bool, as_json: bool) -> None:
    """Answer by the network before the switch once more."""
    with open_database(upgrade=True) as (_, database):
        _show(Reembedding(database).roll_back(collection, force=force), as_json=as_json)


def purge(*, collection: str, as_json: bool) -> None:
    """Erase the embeddings by the network that does not serve: there is no way back after this."""
    with open_database(upgrade=True) as (_, database):
        Reembedding(database).purge(collection)
        _show(Reembedding(database).look(collection), as_json=as_json)


def _is_measured(settings: Settings, database: Database, name: str, model: ModelId) -> bool:
    own = CalibrationStore(database).calibration(name, model.digest)
    return own is not None or known_map(settings, model) is not None


def _measure(settings: Settings, database: Database, stands: Rollout) -> str:
    """Measure the second network's error rates on the people, where nobody has; what was done."""
    model = stands.second
    if model is None or _is_measured(settings, database, stands.collection, model):
        return "its error rates are known"
    try:
        measure_people(CalibrationStore(database), stands.collection, by_second=True)
    except CalibrationImpossible as error:
        return f"its error rates are not known, and cannot be measured on the people here: {error}"
    return "its error rates were measured on the people here"


def _comparison_as_json(done: Comparison) -> dict[str, object]:
    return {
        **{
            name: {
                which: {outcome: counts[outcome] for outcome in Outcome}
                for which, counts in zip(("first", "second"), _by_network(both), strict=True)
            }
            for name, both in (("known", done.known), ("strangers", done.strangers))
        },
        "agreement": {kind: done.agreements[kind] for kind in Agreement},
        "skipped": done.skipped,
    }


def _print_comparison(done: Comparison) -> None:
    table = Table("faces", "decision", "first network", "second network")
    for told, both in (
        ("of people with others", done.known),
        ("of people with no other", done.strangers),
    ):
        first, second = _by_network(both)
        for kind in Outcome:
            if first[kind] or second[kind]:
                table.add_row(told, kind, f"{first[kind]:,}", f"{second[kind]:,}")
    results.print(table)
    total = done.agreements.total()
    table = Table("both networks", "faces", "share")
    for agreed in Agreement:
        count = done.agreements[agreed]
        table.add_row(agreed, f"{count:,}", f"{count / total:.2%}" if total else "")
    results.print(table)


def _by_network(
    both: Counter[tuple[Outcome, Outcome]],
) -> tuple[Counter[Outcome], Counter[Outcome]]:
    first: Counter[Outcome] = Counter()
    second: Counter[Outcome] = Counter()
    for (by_first, by_second), count in both.items():
        first[by_first] += count
        second[by_second] += count
    return first, second


def _show(stands: Rollout, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(stands))
    else:
        _print_rollout(stands)


def _as_json(stands: Rollout) -> dict[str, object]:
    return asdict(stands)


def _print_rollout(stands: Rollout) -> None:
    table = Table("collection", "network", "weights", "faces", "without it", "")
    for model, missing, told in (
        (stands.serving, stands.without_serving, "answers"),
        (stands.second, stands.without_second, "before" if stands.switched_at else "next"),
    ):
        if model is not None:
            counts = f"{stands.faces:,}", f"{missing:,}"
            table.add_row(stands.collection, model.name, model.digest[:12], *counts, told)
    results.print(table)


def _print_reembedded(done: Reembedded) -> None:
    for face in done.without_source:
        results.print(
            f"not embedded: face {face.face_id} of {face.identity_id}: {face.reason}",
            soft_wrap=True,
        )
    results.print(f"{done.faces:,} faces embedded")
