"""Two detectors on the same photos: faces, landmarks, directions, decisions, CPU time.

    python -m benchmarks detectors --faces FOLDER [--photos FOLDER] [--quick] [--embedder NAME]
        [--detectors ONE OTHER]
    python -m benchmarks detectors --smoke

On Labeled Faces in the Wild: photos without a face; whether both find the same face nearest the
centre; how far apart their landmarks are, as a share of the distance between the eyes; and what TAR
and FMR the embedder's shipped thresholds give with the faces of each, and when a gallery was made
with one detector and is searched with the other. Quality: by component, the median of the
differences of scores, and how many photos the default floor refuses.

Faces turned by 90, 180 and 270 degrees: how many are found, and how many in the wrong direction.
Faces shrunk to a side, in a gray picture: how many are found. One photo each of 200 people, damaged
and rolled: how many of their faces are found; also by `yunet` without its second look, and with
MTCNN in its place. CPU time by size of the photo, one thread, in interleaved rounds. `--photos` is
a folder of group photos, whose faces are counted.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from app.recognition.build import build_detector, load_named_network
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import DetectedFace, Pixels
from app.settings import Settings
from benchmarks.accuracy.damage.bad_photo_people import photos_of_half, pixels_of
from benchmarks.accuracy.damaged_faces import found_in_damaged, without_second_look
from benchmarks.accuracy.detector_runs import (
    Central,
    central_faces,
    found_by_side,
    is_same,
    landmark_distance,
    least_cpu_ms,
    match_rates,
    nearest_centre,
    turned_faces,
)
from benchmarks.kit.lfw_data import LfwData, lfw_data, person_of
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.photos import coffee, pixels

_QUICK_PHOTOS, _SMOKE_PHOTOS = 1_000, 6
_TURNED, _QUICK_TURNED = 500, 100
_SMALL, _QUICK_SMALL = 100, 40
_DAMAGED, _QUICK_DAMAGED = 200, 50
_SIDES: Final = (20, 24, 28, 32, 36, 40, 48)
_SIZES: Final = ((250, 250), (640, 480), (1280, 720))
_CANVASES: Final = ((640, 480), (1280, 720), (2560, 1440))
_TIMED: Final = 12
_SEED: Final = 0

Detectors = Mapping[str, CopyingDetector]


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only {_QUICK_PHOTOS} photos", faces=True)
    parser.add_argument("--photos", type=Path, help="folder of group photos")
    parser.add_argument("--embedder", default="dlib-resnet", metavar="NAME")
    parser.add_argument("--detectors", nargs=2, default=["mtcnn", "yunet"], metavar="NAME")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    limit_threads(1)
    settings = Settings(device="cpu")
    detectors = {name: _detector(settings, name) for name in options.detectors}
    embedder = NetworkEmbedder(load_named_network(settings, options.embedder, None))
    names = _photos(data, options)
    central = {
        name: central_faces(detector, embedder, _read(data, names))
        for name, detector in detectors.items()
    }
    ways = {**detectors, **without_second_look(settings)}
    figures: dict[str, Any] = {
        "photos": len(names),
        "lfw": _agreement(central),
        "decisions": _decisions(settings, options.embedder, central, names),
        "quality": _quality(central),
        "turned": _turned(detectors, central, data, names[: _count(options, _TURNED)]),
        "found_by_side": _small(detectors, central, data, names, options),
        "damaged": _damaged(ways, data, _count(options, _DAMAGED)),
        "cpu_ms": _times(ways, data, names[:_TIMED], smoke=options.smoke),
        "group_photos": {} if options.photos is None else _groups(detectors, options.photos),
    }
    _report(figures)
    print_figures("detectors", figures)


def _detector(settings: Settings, name: str) -> CopyingDetector:
    chosen = settings.detector.model_copy(update={"name": name})
    return build_detector(settings.model_copy(update={"detector": chosen}), CpuThreads())


def _photos(data: LfwData, options: argparse.Namespace) -> list[str]:
    names = data.photos()
    if options.quick:
        np.random.default_rng(_SEED).shuffle(names)
        names = names[: _SMOKE_PHOTOS if options.smoke else _QUICK_PHOTOS]
    return names


def _count(options: argparse.Namespace, full: int) -> int:
    quick = {_TURNED: _QUICK_TURNED, _SMALL: _QUICK_SMALL, _DAMAGED: _QUICK_DAMAGED}[full]
    return 2 if options.smoke else quick if options.quick else full


def _read(data: LfwData, names: Sequence[str]) -> Iterator[Pixels]:
    return (pixels_of(data.images / name) for name in names)


def _agreement(central: Mapping[str, Central]) -> dict[str, Any]:
    one, other = central.values()
    both = [
        (mine, theirs)
        for mine, theirs in zip(one.faces, other.faces, strict=True)
        if mine is not None and theirs is not None
    ]
    same = [(mine, theirs) for mine, theirs in both if is_same(mine, theirs)]
    distances = np.array([landmark_distance(theirs, mine) for mine, theirs in same] or [0.0])
    return {
        "missed": {name: seen.faces.count(None) for name, seen in central.items()},
        "unclear": {
            name: sum(face is not None and face.direction is None for face in seen.faces)
            for name, seen in central.items()
        },
        "not_upright": {
            name: sum(face is not None and face.direction not in (0, None) for face in seen.faces)
            for name, seen in central.items()
        },
        "found_by_both": len(both),
        "same_face": len(same),
        "landmarks_apart_median": float(np.median(distances)),
        "landmarks_apart_p99": float(np.percentile(distances, 99)),
    }


def _decisions(
    settings: Settings, embedder: str, central: Mapping[str, Central], names: Sequence[str]
) -> dict[str, Any]:
    network = load_named_network(settings, embedder, None)
    if network.spec.calibration is None:
        return {}
    thresholds = network.spec.calibration.thresholds()
    _, person = np.unique([person_of(name) for name in names], return_inverse=True)
    one, other = central
    pairs = {
        one: (central[one], central[one]),
        other: (central[other], central[other]),
        f"{one} gallery, {other} probes": (central[one], central[other]),
    }
    return {
        name: match_rates(gallery, probes, person, thresholds)
        for name, (gallery, probes) in pairs.items()
    }


def _quality(central: Mapping[str, Central]) -> dict[str, Any]:
    one, other = central.values()
    both = [
        (mine, theirs)
        for mine, theirs in zip(one.qualities, other.qualities, strict=True)
        if mine is not None and theirs is not None
    ]
    names = both[0][0].components if both else {}
    apart = {
        name.value: np.array(
            [theirs.components[name].score - mine.components[name].score for mine, theirs in both]
        )
        for name in names
    }
    unified = np.array([theirs.unified - mine.unified for mine, theirs in both] or [0.0])
    return {
        "mean_difference": {name: float(values.mean()) for name, values in apart.items()},
        "median_absolute_difference": {
            name: float(np.median(np.abs(values))) for name, values in apart.items()
        },
        "unified_mean_difference": float(unified.mean()),
        "refused_by_the_floor": {name: int(seen.refused().sum()) for name, seen in central.items()},
    }


def _turned(
    detectors: Detectors, central: Mapping[str, Central], data: LfwData, names: Sequence[str]
) -> dict[str, Any]:
    known = next(iter(central.values())).faces[: len(names)]
    return {
        name: asdict(turned_faces(detector, _read(data, names), known))
        for name, detector in detectors.items()
    }


def _small(
    detectors: Detectors,
    central: Mapping[str, Central],
    data: LfwData,
    names: Sequence[str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    faces: list[DetectedFace] = []
    photos: list[Pixels] = []
    known = next(iter(central.values())).faces
    for photo, face in zip(_read(data, names[: _count(options, _SMALL)]), known, strict=False):
        if face is not None:
            faces.append(face)
            photos.append(photo)
    canvases = _CANVASES[:1] if options.smoke else _CANVASES
    return {
        f"{canvas[0]}x{canvas[1]}": {
            name: {
                str(side): found_by_side(detector, photos, faces, side_px=side, canvas=canvas)
                for side in _SIDES
            }
            for name, detector in detectors.items()
        }
        for canvas in canvases
    }


def _damaged(ways: Detectors, data: LfwData, people: int) -> dict[str, dict[str, int]]:
    one = next(iter(ways.values()))
    photos: list[Pixels] = []
    faces: list[DetectedFace] = []
    for paths in photos_of_half(data, "report")[:people]:
        photo = pixels_of(paths[0])
        face = nearest_centre(one.detect(photo), photo)
        if face is not None:
            photos.append(photo)
            faces.append(face)
    return found_in_damaged(ways, photos, faces)


def _times(
    detectors: Detectors, data: LfwData, names: Sequence[str], *, smoke: bool
) -> dict[str, dict[str, float]]:
    faces = list(_read(data, names))
    sizes, rounds = (_SIZES[:1], 1) if smoke else (_SIZES, 3)
    return {
        f"{width}x{height}, {kind}": least_cpu_ms(
            detectors, [_resized(photo, width, height) for photo in some], rounds=rounds
        )
        for width, height in sizes
        for kind, some in (("a face", faces), ("none", [pixels(coffee())]))
    }


def _resized(photo: Pixels, width: int, height: int) -> Pixels:
    """Enlarged until it covers the size, and cut at the centre."""
    factor = max(width / photo.shape[1], height / photo.shape[0])
    size = (max(width, round(photo.shape[1] * factor)), max(height, round(photo.shape[0] * factor)))
    large = cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _groups(detectors: Detectors, folder: Path) -> dict[str, dict[str, int]]:
    counted = {}
    for path in sorted(folder.glob("*.jpg")):
        photo = pixels_of(path)
        found = {name: detector.detect(photo) for name, detector in detectors.items()}
        one, other = found.values()
        counted[path.name] = {
            **{name: len(faces) for name, faces in found.items()},
            "same": sum(any(is_same(mine, theirs) for theirs in other) for mine in one),
        }
    return counted


def _report(figures: Mapping[str, Any]) -> None:
    print_table(
        f"Detectors on {figures['photos']:,} photos",
        [(name.replace("_", " "), str(value)) for name, value in figures["lfw"].items()],
    )
    print_table(
        "TAR and FMR at the shipped thresholds",
        [
            (f"{name}, {fmr}", f"{values['tar']:.4f}, {values['fmr']:.2e}")
            for name, rates in figures["decisions"].items()
            for fmr, values in rates.items()
        ],
    )
    print_table(
        "Quality",
        [
            *(
                (f"{name}: mean difference of scores", f"{value:+.2f}")
                for name, value in figures["quality"]["mean_difference"].items()
            ),
            ("refused by the floor", str(figures["quality"]["refused_by_the_floor"])),
        ],
    )
    print_table(
        "Faces turned, small, and damaged, CPU ms, group photos",
        [
            *((f"turned, {name}", str(seen)) for name, seen in figures["turned"].items()),
            *(
                (f"found in {canvas} by {name}, of side", _shares(shares))
                for canvas, by_detector in figures["found_by_side"].items()
                for name, shares in by_detector.items()
            ),
            *(
                (kind, ", ".join(f"{name} {found}" for name, found in counted.items()))
                for kind, counted in figures["damaged"].items()
            ),
            *(
                (f"CPU ms, {size}", ", ".join(f"{name} {ms:.1f}" for name, ms in took.items()))
                for size, took in figures["cpu_ms"].items()
            ),
            *((name, str(counts)) for name, counts in figures["group_photos"].items()),
        ],
    )


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{side} px {share:.0%}" for side, share in shares.items())
