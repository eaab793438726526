"""Embed the photos of a listing, one subject each, with a cache of earlier runs."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.datasets.embedding_cache import EmbeddingCache, Known
from app.datasets.photo_listing import ListedPhoto, PhotoListing
from app.datasets.photo_source import SubjectRule
from app.errors import ImageTooLarge, ImageUnreadable, InvalidRequest, Reason
from app.recognition.pipeline import Recognizer
from app.recognition.select import Selection, central_face, largest_face, only_face
from app.recognition.types import DetectedFace
from app.runtime.gather import in_turns
from app.settings import Settings
from models.evaluation.photos import Groups, LabelledPhotos, ListedPairs
from models.files import file_sha256
from models.zoo.network import Network

_SELECTIONS: dict[SubjectRule, Selection] = {
    SubjectRule.SINGLE: only_face,
    SubjectRule.LARGEST: largest_face,
    SubjectRule.CENTRAL: central_face,
}


def subject_selection(rule: SubjectRule) -> Selection:
    """The selection of the subject of a photo.

    It selects only a face whose direction is clear: the crop of another may be the wrong way up.
    """
    select = _SELECTIONS[rule]
    return lambda faces, size: [face for face in select(faces, size) if face.direction is not None]


async def embed_photos(
    recognizer: Recognizer,
    listing: PhotoListing,
    cache: EmbeddingCache,
    progress: Callable[[], None] = lambda: None,
) -> LabelledPhotos:
    """Embed photos, as many at once as the recognizer has threads.

    Those in the cache are not embedded again. `progress` is called after each photo. Raises
    InvalidRequest for a file that cannot be read at all.
    """
    select = subject_selection(listing.subject)

    async def embed(photo: ListedPhoto) -> tuple[str, Known]:
        sha256 = await asyncio.to_thread(photo_sha256, photo.path)
        known = cache.find(sha256)
        if known is None:
            known = await _embed(recognizer, photo.path, select)
            cache.add(sha256, known)
        return sha256, known

    done = await in_turns(listing.photos, embed, at_once=recognizer.concurrency, progress=progress)
    return _labelled(listing, [sha256 for sha256, _ in done], [known for _, known in done])


async def _embed(recognizer: Recognizer, path: Path, select: Selection) -> Known:
    try:
        image = await asyncio.to_thread(read_photo, recognizer, path)
        found = await recognizer.embed(image, select)
    except (ImageUnreadable, ImageTooLarge) as error:
        return Known(None, Reason(error.code))
    if found.faces:
        return Known(found.faces[0].embedding, None)
    return Known(None, no_subject(found.detected))


def open_cache(
    folder: Path, settings: Settings, network: Network, rule: SubjectRule
) -> EmbeddingCache:
    """Open the cache of embeddings of this network with these settings, below `folder`."""
    return EmbeddingCache(
        folder,
        about={
            "embedder": network.spec.name,
            "weights": network.digest,
            "mirror_average": network.spec.mirror_average,
            "half": settings.half_precision and network.device.startswith("cuda"),
            "detector": settings.detector.model_dump(),
            "directions": 4,  # in which faces are looked for
            "faces": rule.value,
        },
        dimension=network.spec.dimension,
    )


def _labelled(
    listing: PhotoListing, sha256: Sequence[str], known: Sequence[Known]
) -> LabelledPhotos:
    """Join the photos of a listing with what is known of them, in the same order."""
    names = tuple(photo.name for photo in listing.photos)
    person_names = tuple(sorted({photo.person for photo in listing.photos}))
    number = _places(person_names)
    found = [one.embedding for one in known if one.embedding is not None]
    rows = np.zeros((len(known), len(found[0]) if found else 0), dtype=np.float32)
    if found:
        rows[[one.embedding is not None for one in known]] = found
    return LabelledPhotos(
        names=names,
        sha256=tuple(sha256),
        people=np.array([number[photo.person] for photo in listing.photos], dtype=np.intp),
        person_names=person_names,
        embeddings=rows,
        failures=tuple(one.failure for one in known),
        groups=_groups(listing, person_names),
        pairs=_pairs(listing, names),
    )


def _groups(listing: PhotoListing, person_names: Sequence[str]) -> Groups | None:
    of_people = [listing.groups.get(person) for person in person_names]
    names = tuple(sorted({group for group in of_people if group is not None}))
    place = _places(names)
    numbers = [-1 if group is None else place[group] for group in of_people]
    return Groups(names, np.array(numbers, dtype=np.intp)) if names else None


def _pairs(listing: PhotoListing, names: Sequence[str]) -> ListedPairs | None:
    if listing.pairs is None:
        return None
    place = _places(names)
    folds = [pair.fold for pair in listing.pairs if pair.fold is not None]
    return ListedPairs(
        left=np.array([place[pair.left] for pair in listing.pairs], dtype=np.intp),
        right=np.array([place[pair.right] for pair in listing.pairs], dtype=np.intp),
        folds=np.array(folds, dtype=np.int_) if folds else None,
    )


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def read_photo(recognizer: Recognizer, path: Path) -> bytes:
    """Read a photo. Raises ImageTooLarge before a byte is read, and OSError."""
    recognizer.require_size(path.stat().st_size)
    return path.read_bytes()


def no_subject(detected: Sequence[DetectedFace]) -> Reason:
    """Return the reason why none of the faces of a photo is its subject."""
    if not detected:
        return Reason.NO_FACE
    if all(face.direction is not None for face in detected):
        return Reason.SEVERAL_FACES
    return Reason.UNCLEAR_DIRECTION


def photo_sha256(path: Path) -> str:
    """Hash a photo. Raises InvalidRequest for a file that cannot be read at all."""
    try:
        return file_sha256(path)
    except OSError as error:
        raise InvalidRequest(f"the photo {path} cannot be read: {error}") from error
