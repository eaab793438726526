"""Recognise the photos of a batch together, each as if it were alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from app.errors import InputError, Stopping
from app.observe.request_scope import Stage
from app.recognition.align import align, similarity_transform
from app.recognition.decode.decoder_process import DECODE_S, DecoderProcesses
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.decode.samples import find_shade
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.embedder import NetworkEmbedder
from app.recognition.liveness.liveness_scorer import FaceCrops, LivenessScorer
from app.recognition.memory_budget import MemoryBudget
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
    """One for each embedder, of each face."""
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
    ) -> None:
        self._detector = detector
        self.embedders = tuple(embedders)
        self.liveness = liveness
        self._memory = memory
        self._max_pixels = max_pixels
        self._processes = DecoderProcesses(decode_s=decode_s)

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

    def try_networks(self) -> None:
        """Run each network once. Raises FloatingPointError for a broken embedder."""
        noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
        self._detector.detect_all([noise])
        for embedder in self.embedders:
            template = np.asarray(embedder.input.template, dtype=np.float32)
            embedder.embed([align(noise, template, embedder.input)])
        if self.liveness is not None:
            self.liveness.try_networks()

    def with_embedding(
        self, quality: FaceQuality, embedding: Embedding, norm: float | None = None
    ) -> FaceQuality:
        """The quality of a face, with its distinctiveness if that was measured for the embedder.

        `norm` is the length of the embedding before it was divided by it, if that is known.
        """
        measure = self.embedders[0].distinctiveness
        if measure is None:
            return quality
        return with_distinctiveness(quality, embedding, measure, norm=norm)

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
        for place, job in enumerate(jobs):
            try:
                file = self._open(job.image, enough_px=self._detector.max_side_px)
                if not self._memory.try_take(file.memory_bytes):
                    self._look(held)  # holding memory while it waits could block all threads
                    held.clear()
                    self._memory.take(file.memory_bytes)
                works[place] = self._read(job, file)
                held.append(works[place])
            except (InputError, Stopping) as error:
                outcomes[place] = error
        self._look(held)

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
        try:
            began = perf_counter()
            photos = [work.photo for work in works if work.photo is not None]
            found = self._detector.detect_all(
                [photo.pixels for photo in photos],
                factors=[max(photo.factors) for photo in photos],
                detections=[work.job.detection for work in works if work.photo is not None],
            )
            seconds = perf_counter() - began
            for work, photo, faces in zip(works, photos, found, strict=True):
                work.add(Stage.DETECT, seconds)
                self._select(work, photo, faces)
        finally:
            for work in works:
                self._release(work)

    def _select(self, work: _Work, photo: Photo, faces: tuple[DetectedFace, ...]) -> None:
        faces = tuple(face for face in faces if photo.holds(face.box))
        work.seen.detected = tuple(face.enlarged(photo.factors) for face in faces)
        if not faces:
            work.seen.size = replace(work.seen.size, shade=find_shade(photo.pixels))
        if work.job.select is None:
            return
        work.seen.selected = tuple(work.job.select(work.seen.detected, photo.size))
        if photo.is_reduced and self._too_coarse(work, photo):
            return
        self._cut(work, photo)

    def _look_closer(self, work: _Work) -> None:
        """Decode a photo again, at its full size, and cut out the selected faces."""
        file = self._open(work.job.image)
        self._memory.take(file.memory_bytes)
        again = self._read(work.job, file)
        try:
            work.add(Stage.DECODE, again.seen.seconds[Stage.DECODE])
            assert again.photo is not None
            self._cut(work, again.photo)
        finally:
            self._release(again)

    def _cut(self, work: _Work, photo: Photo) -> None:
        began = perf_counter()
        across, down = photo.factors
        inverse = (1 / across, 1 / down)
        for face in work.seen.selected:
            here = face.enlarged(inverse) if photo.is_reduced else face
            cuts = _Cuts(photo.pixels, here.landmarks)
            if work.job.embed:
                work.crops.append([cuts.by(embedder.input) for embedder in self.embedders])
            if work.job.crop is not None:
                work.seen.crops.append(cuts.by(work.job.crop))
            if work.job.keep_crops and len(work.seen.wide_crops) < _MOST_WIDE_CROPS:
                work.seen.wide_crops.append(cut_wide(photo.pixels, here.landmarks))
            if work.job.liveness and self.liveness is not None:
                work.liveness_crops.append(self.liveness.cut(photo.pixels, here))
            work.seen.qualities.append(
                assess(photo.pixels, here, factor=max(across, down), crop=cuts.by(CROP))
            )
        work.add(Stage.EMBED, perf_counter() - began)

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
        own, *others = (
            embedder.embed_with_norms([crops[place] for work in works for crops in work.crops])
            for place, embedder in enumerate(self.embedders)
        )
        made = zip(own.rows, own.norms.tolist(), strict=True)
        others_made = [iter(other.rows) for other in others]
        seconds = perf_counter() - began
        for work in works:
            rows = [next(made) for _ in work.crops]
            work.seen.embeddings = [embedding for embedding, _ in rows]
            work.seen.qualities = [
                self.with_embedding(quality, *row)
                for quality, row in zip(work.seen.qualities, rows, strict=True)
            ]
            for other in others_made:
                work.seen.next_embeddings = [next(other) for _ in work.crops]
            work.seen.sha256 = hashlib.sha256(work.job.image).hexdigest()
            work.add(Stage.EMBED, seconds)

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


def _enlargement(face: DetectedFace, spec: InputSpec) -> float:
    transform = similarity_transform(face.landmarks, np.asarray(spec.template))
    return float(np.hypot(transform[0, 0], transform[1, 0]))
