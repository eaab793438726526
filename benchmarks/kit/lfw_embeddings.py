"""Embeddings of LFW's photos, by the service's own pipeline and settings."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.pipeline import Recognizer
from app.recognition.select import central_face
from app.runtime.gather import together
from app.settings import Settings
from benchmarks.kit.lfw_data import LfwData, person_of
from benchmarks.kit.report import console
from models.evaluation.calibration.measure_map import measure_map
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.network import Network

Embeddings = dict[str, NDArray[np.float32] | None]
"""Embedding of each photo; None where no face was found."""

Qualities = dict[str, float]
"""Unified quality of each photo's face, 0 to 100."""


@dataclass(frozen=True)
class People:
    """Photos in which a face was found.

    `embeddings` is (N, dimension), `quality` (N,) the faces' unified quality, 0 to 100; `person`
    (N,) numbers whose each is, from 0 to `count` - 1.
    """

    embeddings: NDArray[np.float32]
    quality: NDArray[np.float64]
    person: NDArray[np.intp]
    names: tuple[str, ...]

    @cached_property
    def photos_of(self) -> list[NDArray[np.intp]]:
        """Numbers of each person's photos, in the order of the photos' names."""
        order = np.argsort(self.person, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.person))[:-1])

    @property
    def count(self) -> int:
        return len(self.names)

    def calibrate_on(self, some: NDArray[np.intp], *, digest: str = "") -> SimilarityMap:
        """The similarities of these people's photos, measured as `vultus calibrate` does."""
        photos = np.concatenate([self.photos_of[person] for person in some])
        return measure_map(
            self.embeddings[photos],
            [self.names[person] for person in self.person[photos]],
            embedder="",
            digest=digest,
            source=f"{len(some)} of the people",
        )


def embed_people(data: LfwData, *, cache: Path | None = None) -> tuple[People, str]:
    """All photos of the data in which a face was found, and the digest of the network.

    `cache` is as for `embed_photos`.
    """
    settings = Settings()
    network = load_configured_network(settings)
    embeddings, qualities = embed_photos(settings, network, data, cache=cache)
    found = {photo: row for photo, row in embeddings.items() if row is not None}
    in_order = sorted(found)
    names, person = np.unique([person_of(photo) for photo in in_order], return_inverse=True)
    rows = np.stack([found[photo] for photo in in_order])
    quality = np.array([qualities[photo] for photo in in_order])
    return People(rows, quality, person, tuple(map(str, names))), network.digest


def embed_photos(
    settings: Settings, network: Network, data: LfwData, *, cache: Path | None = None
) -> tuple[Embeddings, Qualities]:
    """All photos of the data, by the service's own recognizer.

    `cache` is a file (.npz) that keeps them for another run with the same network, runtime and
    detector.
    """
    photos = data.photos()
    made_by = " ".join(
        (network.digest, network.runtime, network.precision, settings.detector.model_dump_json())
    )
    cached = _cached(cache, photos, made_by)
    if cached is not None:
        return cached
    recognizer = build_recognizer(settings, network)
    qualities: Qualities = {}
    try:
        embeddings = asyncio.run(embed_all(recognizer, data, photos, qualities))
    finally:
        recognizer.stop()
    _keep(cache, embeddings, qualities, made_by)
    return embeddings, qualities


async def embed_all(
    recognizer: Recognizer,
    data: LfwData,
    photos: Sequence[str],
    qualities: Qualities | None = None,
) -> Embeddings:
    """The face nearest the centre of each photo; its quality is put into `qualities`."""
    embeddings: Embeddings = {}
    turns = asyncio.Semaphore(recognizer.concurrency)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("embedding", total=len(photos))

        async def embed(photo: str) -> None:
            async with turns:
                image = await asyncio.to_thread((data.images / photo).read_bytes)
                found = await recognizer.embed(image, central_face)
            embeddings[photo] = found.faces[0].embedding if found.faces else None
            if qualities is not None and found.faces:
                qualities[photo] = found.faces[0].quality.unified
            progress.advance(task)

        await together(embed(photo) for photo in photos)
    return embeddings


def _cached(
    cache: Path | None, photos: Sequence[str], made_by: str
) -> tuple[Embeddings, Qualities] | None:
    if cache is None or not cache.is_file():
        return None
    with np.load(cache) as kept:
        if str(kept["made_by"]) != made_by or list(kept["photos"]) != list(photos):
            return None
        rows, qualities = kept["embeddings"], kept["qualities"]
    found = ~np.isnan(qualities)
    return (
        {
            photo: row if there else None
            for photo, row, there in zip(photos, rows, found, strict=True)
        },
        {photo: float(value) for photo, value in zip(photos, qualities, strict=True)},
    )


def _keep(cache: Path | None, embeddings: Embeddings, qualities: Qualities, made_by: str) -> None:
    if cache is None:
        return
    photos = sorted(embeddings)
    dimension = next(len(row) for row in embeddings.values() if row is not None)
    nothing = np.zeros(dimension, np.float32)
    rows = [embeddings[photo] for photo in photos]
    np.savez(
        cache,
        made_by=made_by,
        photos=photos,
        embeddings=np.stack([nothing if row is None else row for row in rows]),
        qualities=[qualities.get(photo, np.nan) for photo in photos],
    )
