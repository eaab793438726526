"""`vultus calibrate`."""

from pathlib import Path

import typer
from rich.table import Table

from app.cli.output import print_json, results
from app.cli.science.embed_photos import embed_listing, rule_for
from app.cli.session import with_recognizer, with_services
from app.datasets.photo_listing import read_listing
from app.datasets.subject_rule import SubjectRule
from app.gallery.names import DEFAULT_COLLECTION
from app.operations.policy.calibrator import measure, save_map
from app.recognition.pipeline import Recognizer
from app.recognition.types import ModelId
from app.services import Services
from app.services.known_thresholds import calibration_files, known_map
from app.settings import Settings
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.evaluation.photos import LabelledPhotos
from models.zoo.network import Network

_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def calibrate(
    *,
    folder: Path | None,
    collection: str | None,
    faces: SubjectRule | None,
    embedder: str | None,
    cache: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how alike strangers are, and decide by that from now on."""
    if folder is None:
        if any(given is not None for given in (out, faces, cache, embedder)):
            raise typer.BadParameter(
                "--out, --faces, --cache and --embedder go with a folder of photos"
            )
        measured = _on_collection(collection or DEFAULT_COLLECTION)
    elif collection is not None:
        raise typer.BadParameter("give either a folder, for the embedder, or --collection")
    else:
        measured = _on_photos(folder, faces, cache, out, embedder)
    if as_json:
        print_json(measured.to_json())
    else:
        results.print(_table(measured))


def _on_collection(collection: str) -> SimilarityMap:
    async def use(services: Services) -> SimilarityMap:
        return services.calibrator.calibrate(collection)

    return with_services(use)


def _on_photos(
    folder: Path,
    faces: SubjectRule | None,
    cache: Path | None,
    out: Path | None,
    embedder: str | None,
) -> SimilarityMap:
    listing = read_listing(folder)
    if not listing.people_known:
        raise typer.BadParameter("a list of pairs does not tell who is a stranger; list people")
    rule = rule_for(listing, faces)

    async def use(
        settings: Settings, network: Network, recognizer: Recognizer
    ) -> tuple[Settings, LabelledPhotos, ModelId]:
        kept = cache or settings.data_dir / "evaluation"
        photos = await embed_listing(listing, kept, settings, network, recognizer, rule)
        return settings, photos, recognizer.model

    settings, photos, model = with_recognizer(use, embedder=embedder)
    usable = photos.usable
    people = [photos.person_names[person] for person in photos.people[usable]]
    measured = measure(
        photos.embeddings[usable],
        people,
        model,
        source=f"{len(people)} photos of {len(set(people))} people in {folder.resolve().name}",
        known=known_map(settings, model),
    )
    if out is None:
        calibration_files(settings).save(measured)
    else:
        save_map(measured, out)
    return measured


def _table(measured: SimilarityMap) -> Table:
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
    return table
