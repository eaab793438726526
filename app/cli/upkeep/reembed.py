"""`vultus reembed`: move a collection from one embedder to another while it serves."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from app.cli.open_database import open_database
from app.cli.output import finish, progress_bar, show
from app.cli.session import with_services
from app.errors import CalibrationImpossible
from app.gallery.rollout.rollouts import Rollout, Rollouts
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.operations.enroll.crop_vault import CropVault
from app.operations.policy.calibrator import measure_people
from app.operations.rollout.embedder_choice import choose_embedder
from app.operations.rollout.enrolled_comparison import Comparison, Outcome, compare_enrolled
from app.operations.rollout.reembedder import PhotoFolder, Reembedded, Reembedder
from app.operations.rollout.shadow_decisions import Agreement
from app.recognition.build import build_detector, load_named_network, thread_count
from app.recognition.device import resolve_device
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import ModelId
from app.services import Services
from app.services.known_thresholds import known_map
from app.settings import Settings


def reembed(
    to: str, collection: str, *, photos: Path | None, weights: Path | None, as_json: bool
) -> None:
    """Embed every enrolled face by a second embedder."""
    with open_database(upgrade=True) as (given, database):
        settings = choose_embedder(given).settings
        network = load_named_network(settings, to, weights)
        reembedding = Rollouts(database)
        reembedder = Reembedder(
            reembedding,
            NetworkEmbedder(network),
            None if photos is None else PhotoFolder(photos),
            detector=build_detector(settings),
            vault=CropVault.of(settings),
            max_pixels=settings.limits.max_pixels,
            threads=thread_count(settings, resolve_device(settings.device)),
        )
        with progress_bar("embedding") as progress:
            task = progress.add_task("faces", total=reembedding.look(collection).faces)
            done = reembedder.run(
                collection, progress=lambda count: progress.update(task, advance=count)
            )
        rollout = reembedding.look(collection)
        measured = _measure(settings, database, rollout)
    answer = {**asdict(rollout), **asdict(done), "measured": measured}
    show(answer, *_texts(done), _table(rollout), measured, as_json=as_json)
    finish(complete=not done.without_source)


def status(collection: str, *, as_json: bool) -> None:
    """Show which embedders a collection has, and how many faces lack an embedding."""
    with open_database(upgrade=True) as (_, database):
        _show(Rollouts(database).look(collection), as_json=as_json)


def shadow(collection: str, faces: int, *, as_json: bool) -> None:
    """Compare what both embedders decide about enrolled faces."""

    async def use(services: Services) -> Comparison:
        seen = Rollouts(services.database).seen_by_both(collection, most=faces)
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
    show(_comparison_as_json(done), *_comparison_tables(done), as_json=as_json)


def switch(collection: str, *, force: bool, as_json: bool) -> None:
    """Serve by the second embedder."""
    with open_database(upgrade=True) as (settings, database):
        reembedding = Rollouts(database)
        second = reembedding.look(collection).second
        measured = second is not None and _is_measured(settings, database, collection, second)
        _show(reembedding.switch(collection, is_measured=measured, force=force), as_json=as_json)


def rollback(collection: str, *, force: bool, as_json: bool) -> None:
    """Serve by the embedder from before the switch."""
    with open_database(upgrade=True) as (_, database):
        _show(Rollouts(database).roll_back(collection, force=force), as_json=as_json)


def purge(collection: str, *, as_json: bool) -> None:
    """Erase the embeddings by the embedder that does not serve."""
    with open_database(upgrade=True) as (_, database):
        Rollouts(database).purge(collection)
        _show(Rollouts(database).look(collection), as_json=as_json)


def _is_measured(settings: Settings, database: Database, name: str, model: ModelId) -> bool:
    own = CalibrationStore(database).calibration(name, model.digest)
    return own is not None or known_map(settings, model) is not None


def _measure(settings: Settings, database: Database, rollout: Rollout) -> str:
    """Measure error rates of the second embedder on the people, if they are not known.

    Returns what was done, as a text.
    """
    model = rollout.second
    if model is None or _is_measured(settings, database, rollout.collection, model):
        return "its error rates are known"
    try:
        measure_people(CalibrationStore(database), rollout.collection, by_other_embedder=True)
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


def _comparison_tables(done: Comparison) -> Iterator[Table]:
    table = Table("faces", "decision", "first network", "second network")
    for faces, both in (
        ("of people with others", done.known),
        ("of people with no other", done.strangers),
    ):
        first, second = _by_network(both)
        for kind in Outcome:
            if first[kind] or second[kind]:
                table.add_row(faces, kind, f"{first[kind]:,}", f"{second[kind]:,}")
    yield table
    total = done.agreements.total()
    table = Table("both networks", "faces", "share")
    for agreed in Agreement:
        count = done.agreements[agreed]
        table.add_row(agreed, f"{count:,}", f"{count / total:.2%}" if total else "")
    yield table


def _by_network(
    both: Counter[tuple[Outcome, Outcome]],
) -> tuple[Counter[Outcome], Counter[Outcome]]:
    first: Counter[Outcome] = Counter()
    second: Counter[Outcome] = Counter()
    for (by_first, by_second), count in both.items():
        first[by_first] += count
        second[by_second] += count
    return first, second


def _show(rollout: Rollout, *, as_json: bool) -> None:
    show(asdict(rollout), _table(rollout), as_json=as_json)


def _table(rollout: Rollout) -> Table:
    table = Table("collection", "network", "weights", "faces", "without it", "")
    for model, missing, role in (
        (rollout.serving, rollout.without_serving, "answers"),
        (rollout.second, rollout.without_second, "before" if rollout.switched_at else "next"),
    ):
        if model is not None:
            counts = f"{rollout.faces:,}", f"{missing:,}"
            table.add_row(rollout.collection, model.name, model.digest[:12], *counts, role)
    return table


def _texts(done: Reembedded) -> Iterator[str]:
    for face in done.without_source:
        yield f"not embedded: face {face.face_id} of {face.identity_id}: {face.reason}"
    yield f"{done.faces:,} faces embedded"
