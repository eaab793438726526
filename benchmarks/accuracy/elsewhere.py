"""Compare two embedders on faces that neither was tuned or calibrated on.

    python -m benchmarks elsewhere --photos FOLDER [--embedders dlib-resnet sface] [--quick]

Each face of the group photos counts as another person, as far as is known. A genuine pair is a face
and the same face on a damaged copy of its photo; an impostor pair is a face and another face, as it
is or damaged. That shows whether an embedder is worse with other cameras, and whether its strangers
are more alike than its calibration says. It does not show the effect of age and pose.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.recognition.build import build_recognizer, load_named_network
from app.recognition.pipeline import Recognizer
from app.recognition.types import EmbeddedFace
from app.settings import Settings
from benchmarks.accuracy.damage.quality_damage import Damage, as_png
from benchmarks.kit.boxes import ious
from benchmarks.kit.load_photos import group_photos
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table
from models.evaluation.statistics.curves import tar_at_fmr
from models.evaluation.statistics.resample import draw_people, interval
from models.evaluation.statistics.scores import PairScores
from models.zoo.network import Network

FMRS = (1e-2, 1e-3)
"""Two thousand pairs of faces show no less."""
_DAMAGES = tuple(
    Damage(kind, strength)
    for kind, strengths in (
        *(("blur", (1, 2)), ("motion", (5, 9)), ("noise", (20, 40)), ("dark", (0.25, 0.12))),
        *(("bright", (1.5, 2.5)), ("contrast", (0.25,)), ("coarse", (0.5, 0.3)), ("jpeg", (15, 8))),
    )
    for strength in strengths
)
_SMALLEST_SIDE_PX = 30
_SAME_PLACE = 0.5  # IoU of a face and itself on a damaged copy
_REPLICATES = 1_000

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Faces:
    """`first` (F, D) are the faces as they are; `damaged` (F, K, D) on each damaged copy, NaN where
    the face was not found."""

    first: Rows
    damaged: Rows


@dataclass(frozen=True, slots=True)
class Result:
    """`tar` by FMR, at the embedder's own threshold for it on these faces; `gains` of the second
    embedder over the first are drawn anew over faces. `strangers` is the share of pairs of the
    faces as they are that match at what the embedder's calibration calls an FMR of 1e-2; None
    where it has none."""

    tar: dict[float, float]
    strangers: float | None
    replicates: dict[float, NDArray[np.float64]]


def main() -> None:
    parser = benchmark_parser(__doc__, quick="each third kind of damage only")
    parser.add_argument("--photos", type=Path, help="folder of group photos (.jpg)")
    parser.add_argument("--embedders", nargs=2, default=("dlib-resnet", "sface"), metavar="NAME")
    options = parse_options(parser, needs_photos=True)
    damages = _DAMAGES[:: 3 if options.quick else 1]
    fmrs = FMRS[:1] if options.smoke else FMRS
    print_machine()
    settings = Settings()
    photos = group_photos(options.photos)
    results = {}
    for name in options.embedders:
        network = load_named_network(settings, name, None)
        faces = asyncio.run(_seen(settings, network, photos, damages))
        results[name] = _measured(faces, network, fmrs)
    _print(results, fmrs, len(faces.first), len(damages))


async def _seen(
    settings: Settings, network: Network, photos: list[bytes], damages: tuple[Damage, ...]
) -> Faces:
    recognizer = build_recognizer(settings, network)
    first: list[Rows] = []
    damaged: list[list[Rows]] = []
    try:
        for photo in photos:
            faces = await _large(recognizer, photo)
            first += [face.embedding for face in faces]
            copies = [await _large(recognizer, one) for one in _damaged(photo, damages)]
            damaged += [[_there(face, copy) for copy in copies] for face in faces]
    finally:
        recognizer.stop()
    return Faces(np.stack(first), np.array(damaged, dtype=np.float32))


async def _large(recognizer: Recognizer, photo: bytes) -> list[EmbeddedFace]:
    found = await recognizer.embed(photo, lambda faces, _: faces)
    return [face for face in found.faces if _side(face) >= _SMALLEST_SIDE_PX]


def _damaged(photo: bytes, damages: tuple[Damage, ...]) -> list[bytes]:
    with Image.open(BytesIO(photo)) as image:
        pixels = np.array(image.convert("RGB"))
    return [
        as_png(damage.on(pixels, np.random.default_rng(number)))
        for number, damage in enumerate(damages)
    ]


def _there(face: EmbeddedFace, copy: list[EmbeddedFace]) -> Rows:
    """The embedding of the face in the same place, or none."""
    overlaps = ious([face.face.box], [other.face.box for other in copy])[0]
    if overlaps.max(initial=0.0) < _SAME_PLACE:
        return np.full_like(face.embedding, np.nan)
    return copy[int(overlaps.argmax())].embedding


def _side(face: EmbeddedFace) -> float:
    left, top, right, bottom = face.face.box
    return float(min(right - left, bottom - top))


def _measured(faces: Faces, network: Network, fmrs: Sequence[float]) -> Result:
    everyone = np.arange(len(faces.first))
    scores = _scores(faces, everyone)
    draws = draw_people(len(everyone), replicates=_REPLICATES, seed=0)
    replicates = {fmr: np.empty(_REPLICATES) for fmr in fmrs}
    for number, weights in enumerate(draws):
        drawn = _scores(faces, np.repeat(everyone, weights.astype(np.intp)))
        for fmr in fmrs:
            replicates[fmr][number] = tar_at_fmr(drawn, fmr)
    calibration = network.spec.calibration
    strangers = None
    if calibration is not None:
        pairs = (faces.first @ faces.first.T)[np.triu_indices(len(everyone), 1)]
        strangers = float(np.mean(pairs >= calibration.threshold(FMRS[0])))
    return Result({fmr: tar_at_fmr(scores, fmr) for fmr in fmrs}, strangers, replicates)


def _scores(faces: Faces, drawn: NDArray[np.intp]) -> PairScores:
    """Scores of the faces that were drawn; copies of one face make no impostor pair."""
    similarity = np.einsum("id,jkd->ijk", faces.first[drawn], faces.damaged[drawn])
    same = drawn[:, None] == drawn[None, :]
    own = np.eye(len(drawn), dtype=bool)
    genuine, impostor = similarity[own].ravel(), similarity[~same].ravel()
    return PairScores(genuine[~np.isnan(genuine)], impostor[~np.isnan(impostor)])


def _print(results: dict[str, Result], fmrs: Sequence[float], faces: int, damages: int) -> None:
    (first, before), (second, after) = results.items()
    rows = [("faces, damaged copies of each", f"{faces}, {damages}")]
    figures: dict[str, object] = {"faces": faces, "damages": damages}
    for fmr in fmrs:
        ends = interval(after.replicates[fmr] - before.replicates[fmr])
        assert ends is not None
        span = f"{100 * ends[0]:+.2f} to {100 * ends[1]:+.2f}"
        change = after.tar[fmr] - before.tar[fmr]
        rows.append(
            (
                f"TAR at FMR {fmr:.0e}: {first}, {second}",
                f"{before.tar[fmr]:.4f}, {after.tar[fmr]:.4f}: {100 * change:+.2f} points ({span})",
            )
        )
        figures[f"tar_at_fmr.{fmr:.0e}"] = {first: before.tar[fmr], second: after.tar[fmr]}
        figures[f"gain_at_fmr.{fmr:.0e}"] = (change, *ends)
    shares = (before.strangers, after.strangers)
    rows.append(
        (
            "strangers who match at the calibrated FMR of 1e-2",
            ", ".join("not calibrated" if share is None else f"{share:.4f}" for share in shares),
        )
    )
    figures["strangers"] = {first: before.strangers, second: after.strangers}
    print_table("Faces of group photos", rows)
    print_figures("elsewhere", figures)
