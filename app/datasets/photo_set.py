"""Embed the photos of a listing, one subject each, with a cache of earlier runs."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.datasets.embedding_cache import EmbeddingCache, Known
from app.datasets.photo_listing import PhotoListing
from app.datasets.photo_source import SubjectRule
from app.errors import ImageTooLarge, ImageUnreadable, InvalidRequest, Reason
from app.recognition.batch import Choose
from app.recognition.pipeline import Recognizer
from app.recognition.select import Selection, central_face, largest_face, only_face
from app.recognition.types import DetectedFace, Embedding, ImageSize
from app.runtime.gather import in_turns
from app.settings import Settings
from models.evaluation.photos import Groups, LabelledPhotos, ListedPairs
from models.files import file_sha256
from models.zoo.network import Network

_CHOICES: dict[SubjectRule, Choose] = {
    SubjectRule.SINGLE: lambda _: only_face,
    SubjectRule.LARGEST: lambda _: largest_face,
    SubjectRule.CENTRAL: lambda size: central_face(size.width, size.height),
}


def choice_of(rule: SubjectRule) -> Choose:
    """Return a function that chooses the subject among the faces of a photo of some size.

    Only a face whose direction is clear is chosen: the crop of another may be the wrong way up.
    """
    choose = _CHOICES[rule]

    def clear(size: ImageSize) -> Selection:
        return lambda faces: [face for face in choose(size)(faces) if face.direction is not None]

    return clear


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """The embedding of a photo's subject, or the reason why there is none."""

    sha256: str
    embedding: Embedding | None
    failure: Reason | None


class PhotoSetEmbedder:
    """Embeds photos, as many at once as the recognizer has threads."""

    def __init__(self, recognizer: Recognizer, cache: EmbeddingCache) -> None:
        self._recognizer = recognizer
        self._cache = cache

    async def embed(
        self, listing: PhotoListing, progress: Callable[[], None] = lambda: None
    ) -> LabelledPhotos:
        """Embed the photos that the cache does not have. `progress` is called after each photo.

        Raises InvalidRequest for a file that cannot be read at all.
        """
        choose = choice_of(listing.subject)
        embedded = await in_turns(
            listing.photos,
            lambda photo: self._one(photo.path, choose),
            at_once=self._recognizer.concurrency,
            progress=progress,
        )
        return _labelled(listing, embedded)

    async def _one(self, path: Path, choose: Choose) -> EmbeddedFile:
        sha256 = await asyncio.to_thread(photo_sha256, path)
        known = self._cache.find(sha256)
        if known is None:
            known = await self._embed(path, choose)
            self._cache.add(sha256, known)
        return EmbeddedFile(sha256, known.embedding, known.failure)

    async def _embed(self, path: Path, choose: Choose) -> Known:
        try:
            image = await asyncio.to_thread(read_photo, self._recognizer, path)
            found = await self._recognizer.embed_chosen(image, choose)
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


def _labelled(listing: PhotoListing, embedded: Sequence[EmbeddedFile]) -> LabelledPhotos:
    """Join the photos of a listing with their embeddings, in the same order."""
    names = tuple(photo.name for photo in listing.photos)
    person_names = tuple(sorted({photo.person for photo in listing.photos}))
    number = {person: place for place, person in enumerate(person_names)}
    dimension = next((len(one.embedding) for one in embedded if one.embedding is not None), 0)
    rows = np.zeros((len(embedded), dimension), dtype=np.float32)
    for row, one in zip(rows, embedded, strict=True):
        if one.embedding is not None:
            row[:] = one.embedding
    return LabelledPhotos(
        names=names,
        sha256=tuple(one.sha256 for one in embedded),
        people=np.array([number[photo.person] for photo in listing.photos], dtype=np.intp),
        person_names=person_names,
        embeddings=rows,
        failures=tuple(one.failure for one in embedded),
        groups=_groups(listing, person_names),
        pairs=_pairs(listing, names),
    )


def _groups(listing: PhotoListing, person_names: Sequence[str]) -> Groups | None:
    of_people = [listing.groups.get(person) for person in person_names]
    names = tuple(sorted({group for group in of_people if group is not None}))
    if not names:
        return None
    place = {name: number for number, name in enumerate(names)}
    numbers = [-1 if group is None else place[group] for group in of_people]
    return Groups(names, np.array(numbers, dtype=np.intp))


def _pairs(listing: PhotoListing, names: Sequence[str]) -> ListedPairs | None:
    if listing.pairs is None:
        return None
    place = {name: number for number, name in enumerate(names)}
    folds = [pair.fold for pair in listing.pairs if pair.fold is not None]
    return ListedPairs(
        left=np.array([place[pair.left] for pair in listing.pairs], dtype=np.intp),
        right=np.array([place[pair.right] for pair in listing.pairs], dtype=np.intp),
        folds=np.array(folds, dtype=np.int_) if folds else None,
    )


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
