"""Recognise the photos of a batch together, each as if it were alone."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError, Stopping
from app.observe.request_scope import Stage
from app.recognition.align import align, similarity_transform
from app.recognition.decode.decoder_process import DECODE_S, DecoderProcesses
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.decode.samples import find_shade
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.embedder import Embedded, NetworkEmbedder, unit_length
from app.recognition.liveness.liveness_scorer import FaceCrops, LivenessScorer
from app.recognition.memory_budget import MemoryBudget
from app.recognition.on_device import AskedFace, FacesOnDevice
from app.recognition.quality.assess import assess, with_distinctiveness
from app.recognition.quality.measures import CROP
from app.recognition.select import Selection
from app.recognition.types import (
    DetectedFace,
    Embedding,
    FaceQuality,
    ImageSize,
    Landmarks,
    Photo,
    Pixels,
    WideCrop,
)
from app.recognition.wide_crop import WIDE, cut_wide
from models.zoo.network import InputSpec

_HEAVY_BYTES = 150_000_000
"""Memory for decoding, of which each megabyte takes about a millisecond: JPEG of 15 megapixels, PNG
of 12."""
_MOST_WIDE_CROPS = 50
"""Of one photo: each takes 340 KB until it is encrypted."""


@dataclass(frozen=True, slots=True)
class Job:
    """A photo, and the steps that are wanted.

    All faces are found, as `detection` says. Those that `select` selects are assessed; and embedded
    (`embed`), cut out for a network (`crop`), cut out with their surroundings (`keep_crops`, the
    first _MOST_WIDE_CROPS) and scored (`liveness`).
    """

    image: bytes
    select: Selection | None = None
    embed: bool = False
    crop: InputSpec | None = None
    keep_crops: bool = False
    liveness: bool = False
    detection: Detection = BY_SETTINGS


@dataclass(slots=True)
class Seen:
    """Results for a photo, and the seconds that each stage took.

    The lists have an element for each of the `selected` faces, if the job asks for it; `wide_crops`
    for the first of them. `sha256` is that of the file, if faces are embedded.
    """

    size: ImageSize
    sha256: str = ""
    detected: tuple[DetectedFace, ...] = ()
    selected: tuple[DetectedFace, ...] = ()
    qualities: list[FaceQuality] = field(default_factory=list)
    embeddings: list[Embedding] = field(default_factory=list)
    crops: list[Pixels] = field(default_factory=list)
    next_embeddings: list[Embedding] = field(default_factory=list)
    """Those by the next embedder; empty without one."""
    wide_crops: list[WideCrop] = field(default_factory=list)
    seconds: dict[Stage, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    job: Job
    photo: Photo | None
    seen: Seen
    reserved_bytes: int
    crops: list[list[Pixels]] = field(default_factory=list)
    """One for each embedder, of each face; none where a device embeds them."""
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    """Embeddings of the faces by each embedder, of any length, where a device made them."""
    liveness_crops: list[FaceCrops] = field(default_factory=list)

    def add(self, stage: Stage, seconds: float) -> None:
        self.seen.seconds[stage] = self.seen.seconds.get(stage, 0.0) + seconds


class _Cuts:
    """The crops of one face. Networks and measures of the same template get the same one."""

    def __init__(self, pixels: Pixels, landmarks: Landmarks) -> None:
        self._pixels = pixels
        self._landmarks = landmarks
        self._made: dict[tuple[int, tuple[tuple[float, float], ...]], Pixels] = {}

    def by(self, spec: InputSpec) -> Pixels:
        """The crop of a spec, which is cut when it is first asked for."""
        key = spec.size_px, spec.template
        if key not in self._made:
            self._made[key] = align(self._pixels, self._landmarks, spec)
        return self._made[key]


class BatchRecognizer:
    """Decodes, detects, aligns, assesses and embeds. Safe to call from several threads at once.

    A photo much larger than the detector's copy is decoded at a fraction of its size, and decoded
    again at its full size only if a selected face has too few pixels. `memory` is shared by the
    photos of all threads. Of several `embedders`, the first is that of the service, the second the
    next one; each face is embedded by both.

    On a GPU, `on_device` cuts, embeds and measures the faces of all photos of a batch together, and
    `decoders` decode its photos at once. One thread at a time has the device, and others decode
    meanwhile.
    """

    def __init__(
        self,
        *,
        detector: CopyingDetector,
        embedders: Sequence[NetworkEmbedder],
        memory: MemoryBudget,
        max_pixels: int,
        liveness: LivenessScorer | None = None,
        decode_s: float = DECODE_S,
        on_device: FacesOnDevice | None = None,
        decoders: Executor | None = None,
    ) -> None:
        self._detector = detector
        self.embedders = tuple(embedders)
        self.liveness = liveness
        self._memory = memory
        self._max_pixels = max_pixels
        self._processes = DecoderProcesses(decode_s=decode_s)
        self._on_device = on_device
        self._decoders = decoders
        self._turn: AbstractContextManager[object] = nullcontext() if on_device is None else Lock()

    def __call__(self, jobs: Sequence[Job]) -> list[Seen | Exception]:
        """Return what was found in each photo, or why it cannot be used."""
        outcomes: dict[int, Seen | Exception] = {}
        works: dict[int, _Work] = {}
        try:
            self._find(jobs, works, outcomes)
            for work in works.values():
                if len(work.seen.qualities) < len(work.seen.selected):
                    self._look_closer(work)
        finally:
            for work in works.values():
                self._release(work)
        self._embed([work for work in works.values() if work.job.embed])
        self._score_liveness([work for work in works.values() if work.liveness_crops])
        outcomes |= {place: work.seen for place, work in works.items()}
        return [outcomes[place] for place in range(len(jobs))]

    def end_decoding(self) -> None:
        """End the decoding processes. Their photos and further ones fail with Stopping."""
        self._processes.stop()
        if self._decoders is not None:
            self._decoders.shutdown(wait=False)

    def try_networks(self) -> None:
        """Run each network once. Raises FloatingPointError for a broken embedder."""
        noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
        self._detector.detect_all([noise])
        for embedder in self.embedders:
            template = np.asarray(embedder.input.template, dtype=np.float32)
            embedder.embed([align(noise, template, embedder.input)])
        if self.liveness is not None:
            self.liveness.try_networks()

    def with_embedding(self, quality: FaceQuality, embedding: Embedding) -> FaceQuality:
        """The quality of a face, with its distinctiveness if that was measured for the embedder."""
        return self._with_embeddings([quality], embedding[None], None)[0]

    def is_heavy(self, image: bytes) -> bool:
        """Return whether a photo takes much longer than others, at its full size: a face may need
        all of its pixels. What cannot be read at all is light."""
        try:
            return self._open(image).memory_bytes > _HEAVY_BYTES
        except (InputError, MemoryError):
            return False

    def _find(
        self, jobs: Sequence[Job], works: dict[int, _Work], outcomes: dict[int, Seen | Exception]
    ) -> None:
        """Fill in `works` for photos that can be read, `outcomes` for the others."""
        held: list[_Work] = []
        reading: dict[int, Future[_Work]] = {}

        def look() -> None:
            for place in list(reading):
                try:
                    works[place] = reading.pop(place).result()
                    held.append(works[place])
                except (InputError, Stopping) as error:
                    outcomes[place] = error
            self._look(held)
            held.clear()

        try:
            for place, job in enumerate(jobs):
                try:
                    file = self._open(job.image, enough_px=self._detector.max_side_px)
                    if not self._memory.try_take(file.memory_bytes):
                        look()  # holding memory while it waits could block all threads
                        self._memory.take(file.memory_bytes)
                    if self._decoders is not None:
                        reading[place] = self._read_beside(self._decoders, job, file)
                        continue
                    works[place] = self._read(job, file)
                    held.append(works[place])
                except (InputError, Stopping) as error:
                    outcomes[place] = error
            look()
        finally:  # none is left, unless one failed in a way that ends the batch
            for future in wait(reading.values()).done:
                if future.exception() is None:
                    self._release(future.result())

    def _read_beside(self, decoders: Executor, job: Job, file: PhotoFile) -> "Future[_Work]":
        """Let another thread decode a photo whose memory is taken. Raises Stopping."""
        try:
            return decoders.submit(self._read, job, file)
        except RuntimeError as error:  # they were shut down
            self._memory.give_back(file.memory_bytes)
            raise Stopping from error

    def _open(self, image: bytes, *, enough_px: int | None = None) -> PhotoFile:
        limits = DecodeLimits(
            self._max_pixels, enough_px, self._memory.total_bytes, self._processes
        )
        return PhotoFile(image, limits)

    def _read(self, job: Job, file: PhotoFile) -> _Work:
        """Decode a photo whose memory is taken; give the memory back if that fails."""
        began = perf_counter()
        try:
            photo = file.read()
        except BaseException:
            self._memory.give_back(file.memory_bytes)
            raise
        smallest = self._detector.smallest_face_px(photo.size.width, photo.size.height)
        size = replace(photo.size, smallest_face_px=smallest)
        work = _Work(job, photo, Seen(size), file.memory_bytes)
        work.add(Stage.DECODE, perf_counter() - began)
        return work

    def _look(self, works: Sequence[_Work]) -> None:
        """Find the faces of photos in memory, cut out the selected ones, release the photos."""
        with self._turn, self._releasing(works):
            began = perf_counter()
            photos = [work.photo for work in works if work.photo is not None]
            found = self._detector.detect_all(
                [photo.pixels for photo in photos],
                factors=[max(photo.factors) for photo in photos],
                detections=[work.job.detection for work in works if work.photo is not None],
            )
            seconds = perf_counter() - began
            ready = []
            for work, photo, faces in zip(works, photos, found, strict=True):
                work.add(Stage.DETECT, seconds)
                if self._select(work, photo, faces):
                    ready.append((work, photo))
            self._cut(ready)

    @contextmanager
    def _releasing(self, works: Sequence[_Work]) -> Iterator[None]:
        try:
            yield
        finally:
            for work in works:
                self._release(work)

    def _select(self, work: _Work, photo: Photo, faces: tuple[DetectedFace, ...]) -> bool:
        """Select faces; return whether they are to be cut out of this photo."""
        faces = tuple(face for face in faces if photo.holds(face.box))
        work.seen.detected = tuple(face.enlarged(photo.factors) for face in faces)
        if not faces:
            work.seen.size = replace(work.seen.size, shade=find_shade(photo.pixels))
        if work.job.select is None:
            return False
        work.seen.selected = tuple(work.job.select(work.seen.detected, photo.size))
        return not (photo.is_reduced and self._too_coarse(work, photo))

    def _look_closer(self, work: _Work) -> None:
        """Decode a photo again, at its full size, and cut out the selected faces."""
        file = self._open(work.job.image)
        self._memory.take(file.memory_bytes)
        again = self._read(work.job, file)
        try:
            work.add(Stage.DECODE, again.seen.seconds[Stage.DECODE])
            assert again.photo is not None
            with self._turn:
                self._cut([(work, again.photo)])
        finally:
            self._release(again)

    def _cut(self, ready: Sequence[tuple[_Work, Photo]]) -> None:
        """Cut the selected faces out of their photos, and measure them."""
        for work, photo in ready:
            began = perf_counter()
            self._cut_on_cpu(work, photo)
            work.add(Stage.EMBED, perf_counter() - began)
        if self._on_device is not None and ready:
            self._cut_on_device(self._on_device, ready)

    def _cut_on_device(self, device: FacesOnDevice, ready: Sequence[tuple[_Work, Photo]]) -> None:
        """Embed and measure the selected faces of several photos together."""
        began = perf_counter()
        asked = [
            AskedFace(photo.pixels, face, max(photo.factors), embed=work.job.embed)
            for work, photo in ready
            for face in _faces_in(photo, work.seen.selected)
        ]
        seen = device.see(asked)
        seconds = perf_counter() - began
        qualities = iter(seen.qualities)
        row = 0
        for work, _ in ready:
            work.seen.qualities = list(islice(qualities, len(work.seen.selected)))
            if work.job.embed:
                end = row + len(work.seen.selected)
                work.rows = [rows[row:end] for rows in seen.rows]
                row = end
            work.add(Stage.EMBED, seconds)

    def _cut_on_cpu(self, work: _Work, photo: Photo) -> None:
        for here in _faces_in(photo, work.seen.selected):
            cuts = _Cuts(photo.pixels, here.landmarks)
            if work.job.embed and self._on_device is None:
                work.crops.append([cuts.by(embedder.input) for embedder in self.embedders])
            if work.job.crop is not None:
                work.seen.crops.append(cuts.by(work.job.crop))
            if work.job.keep_crops and len(work.seen.wide_crops) < _MOST_WIDE_CROPS:
                work.seen.wide_crops.append(cut_wide(photo.pixels, here.landmarks))
            if work.job.liveness and self.liveness is not None:
                work.liveness_crops.append(self.liveness.cut(photo.pixels, here))
            if self._on_device is None:
                factor = max(photo.factors)
                quality = assess(photo.pixels, here, factor=factor, crop=cuts.by(CROP))
                work.seen.qualities.append(quality)

    def _too_coarse(self, work: _Work, photo: Photo) -> bool:
        """Return whether a selected face has fewer pixels in the copy than its crops have.

        Liveness shows in the finest patterns of a photo, so each copy is too coarse for it.
        """
        if work.job.liveness and work.seen.selected:
            return True
        across, down = photo.factors
        wanted = self.embedders if work.job.embed else []
        specs = [CROP, *(embedder.input for embedder in wanted)]
        if work.job.crop is not None:
            specs.append(work.job.crop)
        if work.job.keep_crops:
            specs.append(WIDE)
        return any(
            _enlargement(face.enlarged((1 / across, 1 / down)), spec) > 1
            for face in work.seen.selected
            for spec in specs
        )

    def _embed(self, works: Sequence[_Work]) -> None:
        began = perf_counter()
        own, *others = (self._embedded(works, place) for place in range(len(self.embedders)))
        faces = [quality for work in works for quality in work.seen.qualities]
        qualities = iter(self._with_embeddings(faces, own.rows, own.norms))
        rows = [iter(made.rows) for made in (own, *others)]
        seconds = perf_counter() - began
        for work in works:
            count = len(work.seen.qualities)
            work.seen.embeddings, *further = (list(islice(made, count)) for made in rows)
            work.seen.qualities = list(islice(qualities, count))
            for embeddings in further:
                work.seen.next_embeddings = embeddings
            work.seen.sha256 = hashlib.sha256(work.job.image).hexdigest()
            work.add(Stage.EMBED, seconds)

    def _embedded(self, works: Sequence[_Work], place: int) -> Embedded:
        """The embeddings of all faces of photos, by one of the embedders."""
        if self._on_device is None or not works:
            crops = [crops[place] for work in works for crops in work.crops]
            return self.embedders[place].embed_with_norms(crops)
        return unit_length(np.concatenate([work.rows[place] for work in works]))

    def _with_embeddings(
        self,
        qualities: list[FaceQuality],
        embeddings: NDArray[np.float32],
        norms: NDArray[np.float32] | None,
    ) -> list[FaceQuality]:
        """The qualities of faces with embeddings (N, dimension), whose lengths before they were
        divided by them may be known."""
        measure = self.embedders[0].distinctiveness
        if measure is None:
            return qualities
        return with_distinctiveness(qualities, embeddings, measure, norms=norms)

    def _score_liveness(self, works: Sequence[_Work]) -> None:
        if self.liveness is None or not works:
            return
        began = perf_counter()
        found = iter(
            self.liveness.score([crops for work in works for crops in work.liveness_crops])
        )
        seconds = perf_counter() - began
        for work in works:
            scored = tuple(replace(face, liveness=next(found)) for face in work.seen.selected)
            by_box = {face.box: face for face in scored}
            work.seen.selected = scored
            work.seen.detected = tuple(by_box.get(face.box, face) for face in work.seen.detected)
            work.add(Stage.LIVENESS, seconds)

    def _release(self, work: _Work) -> None:
        work.photo = None
        self._memory.give_back(work.reserved_bytes)
        work.reserved_bytes = 0


def _faces_in(photo: Photo, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
    """The faces of a whole photo in its pixels that are in memory."""
    if not photo.is_reduced:
        return faces
    across, down = photo.factors
    return [face.enlarged((1 / across, 1 / down)) for face in faces]


def _enlargement(face: DetectedFace, spec: InputSpec) -> float:
    transform = similarity_transform(face.landmarks, np.asarray(spec.template))
    return float(np.hypot(transform[0, 0], transform[1, 0]))
