"""Embed a listing of photos, with a progress bar and a cache of earlier runs."""

from pathlib import Path

from app.cli.output import progress_bar
from app.cli.session import Loaded
from app.datasets.photo_listing import PhotoListing
from app.datasets.photo_set import embed_photos, open_cache
from models.evaluation.photos import LabelledPhotos


async def embed_listing(
    loaded: Loaded, listing: PhotoListing, cache: Path | None
) -> LabelledPhotos:
    """Embed photos. `cache` is the folder of embeddings (default: evaluation/ in the data)."""
    folder = cache or loaded.settings.data_dir / "evaluation"
    kept = open_cache(folder, loaded.settings, loaded.network, listing.subject)
    try:
        with progress_bar("embedding") as progress:
            task = progress.add_task("photos", total=len(listing.photos))
            return await embed_photos(
                loaded.recognizer, listing, kept, lambda: progress.advance(task)
            )
    finally:
        kept.close()
