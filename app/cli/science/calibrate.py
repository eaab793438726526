"""`vultus calibrate`."""

import asyncio
from pathlib import Path

import typer
from rich.table import Table

from app.cli.output import show
from app.cli.science.embed_photos import embed_listing
from app.cli.session import loaded_networks, with_services
from app.datasets.photo_listing import read_listing
from app.datasets.photo_source import PhotoSource
from app.operations.policy.calibrator import measure, save_map
from app.services import Services
from app.services.known_thresholds import calibration_files, known_map
from models.evaluation.calibration.similarity_map import SimilarityMap

_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def calibrate_collection(collection: str, *, as_json: bool) -> None:
    """Measure how similar strangers are among the people of a collection, for that collection."""

    async def use(services: Services) -> SimilarityMap:
        return services.calibrator.calibrate(collection)

    _show(with_services(use), as_json=as_json)


def calibrate_embedder(
    source: PhotoSource,
    *,
    embedder: str | None,
    cache: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how similar strangers are on photos, for the embedder."""
    listing = read_listing(source)
    if not listing.people_known:
        raise typer.BadParameter("a list of pairs does not say who is a stranger; list people")
    with loaded_networks(embedder=embedder) as loaded:
        photos = asyncio.run(embed_listing(loaded, listing, cache))
    settings, model = loaded.settings, loaded.recognizer.model
    usable = photos.usable
    people = [photos.person_names[person] for person in photos.people[usable]]
    measured = measure(
        photos.embeddings[usable],
        people,
        model,
        source=f"{len(people)} photos of {len(set(people))} people in {source.path.resolve().name}",
        known=known_map(settings, model),
    )
    if out is None:
        calibration_files(settings).save(measured)
    else:
        save_map(measured, out)
    _show(measured, as_json=as_json)


def _show(measured: SimilarityMap, *, as_json: bool) -> None:
    table = Table(
        "false match rate",
        "similarity",
        "95 % interval of the rate",
        title=f"{measured.people:,} people, {measured.pairs:,} pairs of strangers",
        caption=f"measured up to a similarity of {measured.data_ends:.4f}; above it, estimated",
    )
    for fmr in _FMRS:
        similarity = measured.threshold(fmr)
        rate = measured.fmr(similarity)
        table.add_row(f"{fmr:g}", f"{similarity:.4f}", f"{rate.low:.1e} to {rate.high:.1e}")
    show(measured.to_json(), table, as_json=as_json)
