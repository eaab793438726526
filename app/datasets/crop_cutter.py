"""Cut the subjects out of a listing's photos, to train a network on them.

Crops are what the service would give to that network: found, aligned and scaled by the same code.
Photos that an earlier run has cut are not cut again.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from app.datasets.photo_listing import ListedPhoto, PhotoListing
from app.datasets.photo_set import no_subject, photo_sha256, read_photo, subject_selection
from app.datasets.photo_source import SubjectRule
from app.errors import ImageTooLarge, ImageUnreadable, Reason
from app.recognition.pipeline import Recognizer
from app.runtime.gather import in_turns
from app.settings import Settings
from models.training.data.crop_store import CropStore, CropStoreWriter, ListedCrop, open_store
from models.zoo.network import InputSpec

_FORMAT = 2  # is raised by any change of crops, such as of their alignment


def crops_folder(settings: Settings, spec: InputSpec, rule: SubjectRule, listing: Path) -> Path:
    """Return the folder of crops: one for each listing and all else that crops depend on."""
    about = {**cut_by(settings, spec, rule), "listing": str(listing.absolute())}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    return settings.data_dir / "training" / "crops" / digest[:32]


def cut_by(settings: Settings, spec: InputSpec, rule: SubjectRule) -> Mapping[str, object]:
    """Return what crops depend on, besides the photos."""
    return {
        "format": _FORMAT,
        "size_px": spec.size_px,
        "template": spec.template,
        "detector": settings.detector.model_dump(mode="json"),
        "faces": rule.value,
    }


class CropCutter:
    """Cuts photos, as many at once as the recognizer has threads, into a folder.

    `settings` are those that the recognizer was built by.
    """

    def __init__(
        self, recognizer: Recognizer, rule: SubjectRule, spec: InputSpec, settings: Settings
    ) -> None:
        self._recognizer = recognizer
        self._select = subject_selection(rule)
        self._spec = spec
        self._cut_by = cut_by(settings, spec, rule)

    async def cut(
        self, listing: PhotoListing, folder: Path, progress: Callable[[], None] = lambda: None
    ) -> CropStore:
        """Cut the photos that the folder has no crops of. `progress` is called after each photo.

        Raises InvalidRequest for a file that cannot be read at all, and StoreUnusableError where
        the folder holds crops of another kind. Photos without a crop are the store's failures.
        """
        writer = CropStoreWriter(folder, self._spec, self._cut_by)
        await asyncio.to_thread(writer.open)  # it may wait for another process
        try:
            listed = await in_turns(
                listing.photos,
                lambda photo: self._one(photo, writer),
                at_once=self._recognizer.concurrency,
                progress=progress,
            )
            writer.finish(listed)
        finally:
            writer.close()
        return open_store(folder)

    async def _one(self, photo: ListedPhoto, writer: CropStoreWriter) -> ListedCrop:
        sha256 = await asyncio.to_thread(photo_sha256, photo.path)
        if not writer.known(sha256):
            try:
                image = await asyncio.to_thread(read_photo, self._recognizer, photo.path)
                found = await self._recognizer.cut(image, self._select, self._spec)
            except (ImageUnreadable, ImageTooLarge) as error:
                # Not kept for later runs: other settings or another decoder may read it.
                return ListedCrop(photo.name, photo.person, sha256, failure=Reason(error.code))
            if found.crops:
                writer.add(sha256, found.crops[0])
            else:
                writer.add_failure(sha256, no_subject(found.detected).value)
        return ListedCrop(photo.name, photo.person, sha256)
