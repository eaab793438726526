"""Milliseconds of each part of recognition, beside other libraries, and agreement with them.

    python -m benchmarks recognition_speed --faces FOLDER [--photos FOLDER] [--quick]

Decoding, detecting at a smallest face of 20 and of 40 pixels, and embedding, on photos of LFW, on
group photos, and on 12-megapixel ones made of them (each enlarged until it covers 4000 x 3000, and
cut at the centre). Each part in one thread, which is how long one photo takes, and in two threads
at once, which is what a photo costs on two cores. PyTorch uses one thread in each. Ours and its
peers take turns over the same photos, and of several rounds the shortest counts (of each photo by
itself in one thread, of all of them in two), since other work on the machine only ever adds:

- detection: facenet-pytorch's own `MTCNN.detect`, on the same copy of limited size that our
  detector sees; dlib's HOG detector, the photo enlarged once as face_recognition does, with its
  5-point predictor (not on 12 megapixels);
- embedding: dlib's own `compute_face_descriptor` on the same crops, of which it embeds one where
  we average two, the crop and its mirror image, if the network's spec says so.

The machine's peak is that of multiplying float32 matrices in PyTorch on one thread; the network's
operations are counted by `torch.utils.flop_counter`, a multiply-add as two.

Agreement: our detector and facenet-pytorch's own output, at the same scores, on LFW and the group
photos: the share of the faces of each for which the other has one with an IoU over 0.9, and how far
apart the landmarks of these are, in pixels.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from threading import local
from typing import Any

import cv2
import dlib
import face_recognition_models
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from app.recognition.align import align
from app.recognition.build import build_detector, load_configured_network
from app.recognition.decode.photo_file import decode
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import Pixels
from app.settings import Settings
from benchmarks.kit.boxes import ious
from benchmarks.kit.lfw_data import LfwData, lfw_data
from benchmarks.kit.load_photos import group_photos, large
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.networks.dlib_resnet import DlibResNet
from models.zoo.registry import DLIB_RESNET
from models.zoo.serving.cpu_threads import CpuThreads

_SEED = 0
_ONE_THREAD = CpuThreads()
"""One thread, also while the other cores have nothing to do."""
_SMALLEST_FACES_PX = (20, 40)
_UPSAMPLE = 1
_SAME_IOU = 0.9
_NEAR_PX = 1.0

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Size:
    lfw_photos: int
    group_passes: int
    large_photos: int
    rounds: int
    agreement_photos: int | None
    """Photos of LFW; all if None."""
    matrix: int = 1_024
    """Rows and columns of those that are multiplied for the machine's peak."""
    batch: int = 16
    """Crops."""


_FULL = Size(60, 2, 4, 5, None)
_QUICK = Size(10, 1, 1, 2, 500)
_SMOKE = Size(2, 1, 0, 1, 2, matrix=64, batch=2)


@dataclass(slots=True)
class Timing:
    """Seconds, by round: of each job in one thread, and of a job on the average in two."""

    one_thread: list[list[float]] = field(default_factory=list)
    two_threads: list[float] = field(default_factory=list)

    @property
    def ms(self) -> tuple[float, float]:
        """Milliseconds of a job in one thread and in two, from the shortest rounds."""
        return float(np.mean(np.min(self.one_thread, axis=0))) * 1e3, min(self.two_threads) * 1e3


@dataclass(frozen=True, slots=True)
class Found:
    """Faces of a photo: boxes (N, 4), landmarks (N, 5, 2)."""

    boxes: NDArray[np.float64]
    landmarks: NDArray[np.float64]


@dataclass(slots=True)
class Agreement:
    ours: int = 0
    theirs: int = 0
    ours_matched: int = 0
    theirs_matched: int = 0
    distances_px: list[float] = field(default_factory=list)
    """Distances of the landmarks of faces that match, five a face."""

    def add(self, ours: Found, theirs: Found) -> None:
        self.ours += len(ours.boxes)
        self.theirs += len(theirs.boxes)
        if not len(ours.boxes) or not len(theirs.boxes):
            return
        overlaps = ious(ours.boxes, theirs.boxes)
        self.ours_matched += int((overlaps.max(axis=1) > _SAME_IOU).sum())
        self.theirs_matched += int((overlaps.max(axis=0) > _SAME_IOU).sum())
        for mine, other in enumerate(overlaps.argmax(axis=1)):
            if overlaps[mine, other] > _SAME_IOU:
                apart = ours.landmarks[mine] - theirs.landmarks[other]
                self.distances_px += np.linalg.norm(apart, axis=1).tolist()

    def figures(self) -> dict[str, float | int | None]:
        distances = np.array(self.distances_px)
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "ours_matched": _share(self.ours_matched, self.ours),
            "theirs_matched": _share(self.theirs_matched, self.theirs),
            "landmarks_median_px": _rounded(np.median(distances)) if distances.size else None,
            "landmarks_p99_px": _rounded(np.percentile(distances, 99)) if distances.size else None,
            "landmarks_max_px": _rounded(distances.max()) if distances.size else None,
            "landmarks_within_1_px": _share(int((distances <= _NEAR_PX).sum()), distances.size),
        }


def main() -> None:
    parser = benchmark_parser(__doc__, quick="few photos, agreement on 500", faces=True)
    parser.add_argument("--photos", type=Path, help="folder with group photos")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    limit_threads(1)
    size = _SMOKE if options.smoke else _QUICK if options.quick else _FULL
    settings = Settings(_env_file=None, device="cpu", embedder=DLIB_RESNET.name)
    lfw = _lfw_photos(data)
    groups = []
    if options.photos is not None and not options.smoke:
        groups = group_photos(options.photos)
    sets = {"LFW": lfw[: size.lfw_photos]}
    if groups:
        sets["group photos"] = groups * size.group_passes
    if groups and size.large_photos:
        sets["12 MP"] = [large(photo) for photo in groups[: size.large_photos]]
    timings = _time_photos(settings, sets, size.rounds)
    before = _peak_gflops(size.matrix)
    embedding = _time_embedding(settings, lfw, size)
    peak = max(before, _peak_gflops(size.matrix))
    agreement = {
        f"{name}, from {smallest} px": _agreement(settings, photos, smallest)
        for name, photos in (("LFW", lfw[: size.agreement_photos]), ("group photos", groups))
        for smallest in _SMALLEST_FACES_PX
        if photos
    }
    _report(timings, embedding, peak, agreement, settings)


def _lfw_photos(data: LfwData) -> list[bytes]:
    names = data.photos()
    random.Random(_SEED).shuffle(names)
    return [(data.images / name).read_bytes() for name in names]


def _our_detector(settings: Settings, smallest_px: int) -> CopyingDetector:
    chosen = settings.detector.model_copy(update={"min_face_size_px": smallest_px})
    return build_detector(settings.model_copy(update={"detector": chosen}), _ONE_THREAD)


def _our_embedder(settings: Settings) -> NetworkEmbedder:
    return NetworkEmbedder(load_configured_network(settings, _ONE_THREAD))


class Facenet:
    """facenet-pytorch as it comes, on the copy that our detector would make of a photo."""

    def __init__(self, settings: Settings, smallest_px: int) -> None:
        self._max_side_px = settings.detector.max_side_px
        self._min_score = DETECTOR_CARDS["mtcnn"].min_score
        self._smallest_px = smallest_px
        self._networks: dict[float, MTCNN] = {}

    def detect(self, photo: Pixels) -> Found:
        scale = min(1.0, self._max_side_px / max(photo.shape[:2]))
        copy = photo
        if scale < 1.0:
            size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
            copy = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
        mtcnn = self._mtcnn(max(20.0, self._smallest_px * scale))
        boxes, scores, landmarks = mtcnn.detect(copy, landmarks=True)
        if boxes is None:
            return Found(np.empty((0, 4)), np.empty((0, 5, 2)))
        kept = scores.astype(float) >= self._min_score
        return Found(
            boxes[kept].astype(float) / scale,
            (landmarks[kept].astype(float) + 0.5) / scale - 0.5,
        )

    def _mtcnn(self, smallest_px: float) -> MTCNN:
        """The smallest face is state of the object, and loading one takes a while."""
        if smallest_px not in self._networks:
            self._networks[smallest_px] = MTCNN(
                keep_all=True, min_face_size=smallest_px, device="cpu"
            ).eval()
        return self._networks[smallest_px]


class Dlib:
    """HOG and the 5-point predictor, as face_recognition uses them."""

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(
            face_recognition_models.pose_predictor_five_point_model_location()
        )
        # Not safe to share between threads, and loading one takes a while.
        self._of_thread = local()

    def detect(self, photo: Pixels) -> list[Any]:
        if not hasattr(self._of_thread, "detector"):
            self._of_thread.detector = dlib.get_frontal_face_detector()
        found = self._of_thread.detector(photo, _UPSAMPLE)
        return [self._predictor(photo, box) for box in found]


def _time_photos(
    settings: Settings, sets: dict[str, list[bytes]], rounds: int
) -> dict[str, dict[str, Timing]]:
    """Results by kind of photos, then by part and library."""
    timings = {}
    for name, files in sets.items():
        console.print(f"timing {len(files)} photos: {name}", highlight=False)
        photos = [decode(file, max_pixels=settings.limits.max_pixels) for file in files]
        parts: dict[str, list[Job]] = {
            "decode: ours": [partial(decode, file, max_pixels=10**9) for file in files],
            "decode: Pillow": [partial(_by_pillow, file) for file in files],
        }
        for smallest in _SMALLEST_FACES_PX:
            ours, facenet = _our_detector(settings, smallest), Facenet(settings, smallest)
            part = f"detect from {smallest} px"
            parts[f"{part}: ours"] = [partial(ours.detect, photo) for photo in photos]
            parts[f"{part}: facenet-pytorch"] = [partial(facenet.detect, photo) for photo in photos]
        if name != "12 MP":
            hog = Dlib()
            parts["detect: dlib's HOG"] = [partial(hog.detect, photo) for photo in photos]
        timings[name] = _in_turns(parts, rounds)
    return timings


def _by_pillow(file: bytes) -> Pixels:
    with Image.open(BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


@dataclass(frozen=True, slots=True)
class Embedding:
    """Timings are of a whole call; a batch is of `batch` crops."""

    timings: dict[str, Timing]
    batch: int
    gflop: float
    """GFLOP for a face in our embedder: two passes where it averages with the mirror image."""

    def gflops(self) -> tuple[float, float]:
        """A second, on one thread: of one face, and of a batch."""
        one, batch = (
            self.timings[f"embed {n}: ours"].ms[0] for n in ("one face", f"{self.batch} faces")
        )
        return self.gflop / one * 1e3, self.gflop * self.batch / batch * 1e3


def _time_embedding(settings: Settings, files: Sequence[bytes], size: Size) -> Embedding:
    console.print("timing embeddings", highlight=False)
    embedder = _our_embedder(settings)
    theirs = dlib.face_recognition_model_v1(
        face_recognition_models.face_recognition_model_location()
    )
    crops = list(islice(_crops(settings, embedder, files), size.batch))
    calls = 2  # so that two threads have something to share

    def jobs(work: Callable[[], object]) -> list[Job]:
        return [work] * calls

    timings = _in_turns(
        {
            "embed one face: ours": jobs(lambda: embedder.embed(crops[:1])),
            "embed one face: dlib": jobs(lambda: theirs.compute_face_descriptor(crops[0])),
            f"embed {size.batch} faces: ours": jobs(lambda: embedder.embed(crops)),
            f"embed {size.batch} faces: dlib": jobs(lambda: theirs.compute_face_descriptor(crops)),
        },
        size.rounds,
    )
    passes = 2 if load_configured_network(settings).spec.mirror_average else 1
    return Embedding(timings, size.batch, _forward_gflop(embedder.input.size_px) * passes)


def _crops(
    settings: Settings, embedder: NetworkEmbedder, files: Sequence[bytes]
) -> Iterator[Pixels]:
    detector = _our_detector(settings, 40)
    for file in files:
        photo = decode(file, max_pixels=settings.limits.max_pixels)
        for face in detector.detect(photo)[:1]:
            yield align(photo, face.landmarks, embedder.input)


def _forward_gflop(side_px: int) -> float:
    """GFLOP for one crop in dlib-resnet, from the shapes of its layers."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        DlibResNet().eval()(torch.zeros(1, 3, side_px, side_px))
    made: float = counter.get_total_flops() / 1e9
    return made


def _peak_gflops(side: int) -> float:
    """GFLOP a second of multiplying matrices on one thread; the best of several runs."""
    limit_threads(1)
    a, b = torch.rand(side, side), torch.rand(side, side)
    best = min(_seconds(lambda: torch.mm(a, b)) for _ in range(50))
    return 2 * side**3 / best / 1e9


def _seconds(work: Job) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _in_turns(parts: dict[str, list[Job]], rounds: int) -> dict[str, Timing]:
    timings = {name: Timing() for name in parts}
    with (
        ThreadPoolExecutor(1, initializer=limit_threads, initargs=(1,)) as one,
        ThreadPoolExecutor(2, initializer=limit_threads, initargs=(1,)) as two,
    ):
        for jobs in parts.values():  # what only a first call costs
            list(one.map(_seconds, jobs[:1]))
            list(two.map(_seconds, jobs[:2]))
        for _ in range(rounds):
            for name, jobs in parts.items():
                timings[name].one_thread.append(list(one.map(_seconds, jobs)))
                started = time.perf_counter()
                list(two.map(_seconds, jobs))
                timings[name].two_threads.append((time.perf_counter() - started) / len(jobs))
    return timings


def _agreement(settings: Settings, files: Sequence[bytes], smallest_px: int) -> Agreement:
    console.print(f"agreement on {len(files)} photos from {smallest_px} px", highlight=False)
    ours, facenet = _our_detector(settings, smallest_px), Facenet(settings, smallest_px)

    def both(file: bytes) -> tuple[Found, Found]:
        photo = decode(file, max_pixels=settings.limits.max_pixels)
        faces = ours.detect(photo)
        mine = Found(
            np.array([face.box for face in faces], float).reshape(-1, 4),
            np.array([face.landmarks for face in faces], float).reshape(-1, 5, 2),
        )
        height, width = photo.shape[:2]
        theirs = facenet.detect(photo)
        edges = np.array([width, height, width, height])
        return mine, Found(np.clip(theirs.boxes, 0, edges), theirs.landmarks)

    agreement = Agreement()
    with ThreadPoolExecutor(2, initializer=limit_threads, initargs=(1,)) as pool:
        for mine, theirs in pool.map(both, files):
            agreement.add(mine, theirs)
    return agreement


def _report(
    timings: dict[str, dict[str, Timing]],
    embedding: Embedding,
    peak: float,
    agreement: dict[str, Agreement],
    settings: Settings,
) -> None:
    every = {**timings, "crops": embedding.timings}
    rows = [
        (f"{kind}, {part}", "{:.1f} ms, {:.1f} ms".format(*timing.ms))
        for kind, parts in every.items()
        for part, timing in parts.items()
    ]
    gflops = embedding.gflops()
    rows += [
        ("peak: multiplying matrices, one thread", f"{peak:.1f} GFLOP/s"),
        ("embedding a face", f"{embedding.gflop:.3f} GFLOP"),
        ("share of the peak: one face, a batch", f"{gflops[0] / peak:.1%}, {gflops[1] / peak:.1%}"),
    ]
    for name, found in agreement.items():
        figures = found.figures()
        rows += [
            (f"{name}: faces of ours, theirs", f"{found.ours}, {found.theirs}"),
            (
                "    the other has it, too",
                f"{figures['ours_matched']}, {figures['theirs_matched']}",
            ),
            (
                "    landmarks: median, p99, max in pixels, share within 1",
                ", ".join(
                    str(figures[f"landmarks_{name}"])
                    for name in ("median_px", "p99_px", "max_px", "within_1_px")
                ),
            ),
        ]
    copy = f"copies of at most {settings.detector.max_side_px} px"
    print_table(f"Recognition in one thread, in two at once; {copy}", rows)
    print_figures(
        "recognition_speed",
        {
            "ms": {
                kind: {part: [round(ms, 3) for ms in timing.ms] for part, timing in parts.items()}
                for kind, parts in every.items()
            },
            "ratio": _ratios(every),
            "peak_gflops": round(peak, 2),
            "embedding_gflop": round(embedding.gflop, 4),
            "share_of_peak": {
                "one_face": round(gflops[0] / peak, 4),
                "batch": round(gflops[1] / peak, 4),
            },
            "agreement": {name: found.figures() for name, found in agreement.items()},
        },
    )


def _ratios(every: dict[str, dict[str, Timing]]) -> dict[str, dict[str, list[float]]]:
    """Ratio of the peer's time to ours, in one thread and in two."""
    return {
        kind: {
            part: [
                round(theirs / ours, 3)
                for theirs, ours in zip(
                    timing.ms, parts[f"{part.split(': ')[0]}: ours"].ms, strict=True
                )
            ]
            for part, timing in parts.items()
            if not part.endswith(": ours") and f"{part.split(': ')[0]}: ours" in parts
        }
        for kind, parts in every.items()
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


def _rounded(value: float) -> float:
    return round(float(value), 4)
