"""Embed a listing of photos, with a progress bar and what earlier runs have kept."""

from pathlib import Path

from app.cli.output import progress_bar
from app.datasets.photo_listing import PhotoListing
from app.datasets.photo_set import PhotoSetEmbedder, labelled, open_cache
from app.datasets.subject_rule import SubjectRule
from app.recognition.pipeline import Recognizer
from app.settings import Settings
from models.evaluation.photos import LabelledPhotos
from models.zoo.network import Network


def rule_for(listing: PhotoListing, asked: SubjectRule | None) -> SubjectRule:
    """Whom a photo of several faces shows, where nobody says."""
    return asked or (SubjectRule.CENTRAL if listing.subject_central else SubjectRule.SINGLE)


async def embed_listing(
    listing: PhotoListing,
    folder: Path,
    settings: Settings,
    network: Network,
    recognizer: Recognizer,
    rule: SubjectRule,
) -> LabelledPhotos:
    """`folder` keeps the embeddings."""
    cache = open_cache(folder, settings, network, rule)
    try:
        with progress_bar("embedding") as progress:
            task = progress.add_task("photos", total=len(listing.photos))
            embedder = PhotoSetEmbedder(recognizer, rule, cache)
            paths = [photo.path for photo in listing.photos]
            found = await embedder.embed(paths, lambda: progress.advance(task))
    finally:
        cache.close()
    return labelled(listing, found)
