"""Worth of the quality filter, on photos of Labeled Faces in the Wild damaged on purpose.

    python -m benchmarks quality --faces FOLDER [--quick] [--half report|choose]

People are split in two halves at random, once for all. The scales of the components were chosen by
damaged photos of one; what is printed is measured on the other, unless `--half choose` asks for it.
One photo of each person of a sample is damaged in every way of `quality_damage.py`, compared with
another photo of the person, and with the untouched photo itself.

Reports the error-versus-discard curve (EDC, ISO/IEC 29794-1): the FNMR at a fixed threshold, that
of an FMR of 1e-3, when the pairs of lowest quality are discarded; the area below it up to 30 %
discarded, against that of random discards and of an oracle, which discards the lowest similarities.
The quality of a pair is that of its worse photo; photos without a face make no pair.

And for each level of `quality_filter` the shares refused: of photos damaged beyond recognition,
whose face is not found or does not match the very photo they were made from; of the other damaged
ones; and of all untouched photos of the half, by quality alone, not because of several faces or
none.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from io import BytesIO
from time import thread_time
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import Progress

from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.device import limit_threads
from app.recognition.pipeline import Recognizer
from app.recognition.quality.assess import assess
from app.recognition.select import central_face
from app.recognition.types import EmbeddedFace, FaceQuality
from app.runtime.gather import together
from app.settings import Settings
from benchmarks.accuracy.damage.quality_damage import DAMAGES, Damage, Rgb, as_png
from benchmarks.kit.lfw_data import LfwData, lfw_data
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table

_SEED = 5
_DISCARDS = tuple(round(0.05 * step, 2) for step in range(20))
_AREA_UP_TO = 0.3
_TIMED = 300
_LEVELS = tuple(level for level in QualityFilter if level is not QualityFilter.NONE)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Most:
    """People whose photos are damaged, and photos that are not; None: all."""

    people: int = 300
    untouched: int | None = None


_QUICK = Most(people=60, untouched=600)
_SMOKE = Most(people=3, untouched=4)


@dataclass(frozen=True, slots=True)
class Probe:
    """A photo, damaged or (None) not; similarities are None where no face was found."""

    damage: Damage | None
    quality: FaceQuality | None
    to_itself: float
    to_other: float
    pair_quality: float

    def recognised(self, threshold: float) -> bool:
        return self.quality is not None and self.to_itself >= threshold


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only {_QUICK.people} people", faces=True)
    parser.add_argument("--half", choices=("report", "choose"), default="report")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()

    settings = Settings()
    network = load_configured_network(settings)
    measured = network.spec.calibration
    if measured is None:
        parser.error(f"no error rates were measured for {network.spec.name}")
    people = _half(data, options.half)
    recognizer = build_recognizer(settings, network)
    try:
        most = _SMOKE if options.smoke else _QUICK if options.quick else Most()
        probes, untouched = asyncio.run(_measure(recognizer, data, people, most))
    finally:
        recognizer.stop()
    _report(
        probes,
        untouched,
        measured.threshold(1e-3),
        _milliseconds(data, untouched),
    )


def _half(data: LfwData, name: str) -> list[list[str]]:
    """Photos of each person of a half, in random order."""
    people = sorted(data.photos_by_person().items())
    order = np.random.default_rng(_SEED).permutation(len(people))
    middle = len(people) // 2
    return [people[place][1] for place in (order[:middle] if name == "choose" else order[middle:])]


async def _measure(
    recognizer: Recognizer, data: LfwData, people: Sequence[Sequence[str]], most: Most
) -> tuple[list[Probe], dict[str, EmbeddedFace]]:
    sample = [photos for photos in people if len(photos) > 1][: most.people]
    photos = [photo for own in people for photo in own][: most.untouched]

    async def probes_of(numbered: tuple[int, Sequence[str]]) -> list[Probe]:
        return await _probes(recognizer, data, *numbered)

    async def look(photo: str) -> tuple[str, EmbeddedFace | None]:
        image = await asyncio.to_thread((data.images / photo).read_bytes)
        found = await recognizer.embed(image, central_face)
        return photo, found.faces[0] if found.faces else None

    damaged = await _each("damaged", recognizer, list(enumerate(sample)), probes_of)
    seen = await _each("untouched", recognizer, photos, look)
    return (
        [probe for own in damaged for probe in own],
        {photo: face for photo, face in seen if face is not None},
    )


async def _each(
    name: str,
    recognizer: Recognizer,
    items: Sequence[T],
    job: Callable[[T], Coroutine[Any, Any, R]],
) -> list[R]:
    turns = asyncio.Semaphore(recognizer.concurrency)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(name, total=len(items))

        async def one(item: T) -> R:
            async with turns:
                result = await job(item)
            progress.advance(task)
            return result

        return await together(one(item) for item in items)


async def _probes(
    recognizer: Recognizer, data: LfwData, number: int, photos: Sequence[str]
) -> list[Probe]:
    """One of a person's photos in all its versions; none where no face is found to begin with."""
    one, other = (
        photos[place] for place in np.random.default_rng(number).permutation(len(photos))[:2]
    )
    photo = _pixels(await asyncio.to_thread((data.images / one).read_bytes))
    original = await _face(recognizer, photo)
    compared = await _face(
        recognizer, _pixels(await asyncio.to_thread((data.images / other).read_bytes))
    )
    if original is None or compared is None:
        return []
    probes = [_probe(None, original, original, compared)]
    for place, damage in enumerate(DAMAGES):
        rng = np.random.default_rng([number, place])
        version = await asyncio.to_thread(damage.on, photo, rng)
        probes.append(_probe(damage, await _face(recognizer, version), original, compared))
    return probes


async def _face(recognizer: Recognizer, photo: Rgb) -> EmbeddedFace | None:
    image = await asyncio.to_thread(as_png, photo)
    found = await recognizer.embed(image, central_face)
    return found.faces[0] if found.faces else None


def _probe(
    damage: Damage | None,
    found: EmbeddedFace | None,
    original: EmbeddedFace,
    compared: EmbeddedFace,
) -> Probe:
    if found is None:
        return Probe(damage, None, -1.0, -1.0, 0.0)
    return Probe(
        damage,
        found.quality,
        to_itself=float(found.embedding @ original.embedding),
        to_other=float(found.embedding @ compared.embedding),
        pair_quality=min(found.quality.unified, compared.quality.unified),
    )


def _pixels(image: bytes) -> Rgb:
    with Image.open(BytesIO(image)) as opened:
        return np.array(opened.convert("RGB"))


def _milliseconds(data: LfwData, untouched: dict[str, EmbeddedFace]) -> float:
    """Milliseconds of processor time, the median of a few hundred faces, in one thread."""
    limit_threads(1)
    times = []
    for photo, found in list(untouched.items())[:_TIMED]:
        pixels = _pixels((data.images / photo).read_bytes())
        start = thread_time()
        assess(pixels, found.face)
        times.append(thread_time() - start)
    return float(np.median(times)) * 1e3


def error_versus_discard(
    quality: NDArray[np.floating], wrong: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """(share discarded, FNMR of the rest), discarding the lowest quality first."""
    ordered = wrong[np.argsort(quality, kind="stable")].astype(np.float64)
    return [(share, float(ordered[int(share * len(ordered)) :].mean())) for share in _DISCARDS]


def area(curve: Sequence[tuple[float, float]]) -> float:
    part = [(x, y) for x, y in curve if x <= _AREA_UP_TO]
    return float(np.trapezoid([y for _, y in part], [x for x, _ in part]))


def _report(
    probes: Sequence[Probe],
    untouched: dict[str, EmbeddedFace],
    threshold: float,
    milliseconds: float,
) -> None:
    pairs = [probe for probe in probes if probe.quality is not None]
    quality = np.array([probe.pair_quality for probe in pairs])
    similarity = np.array([probe.to_other for probe in pairs])
    wrong = similarity < threshold
    curve = error_versus_discard(quality, wrong)
    oracle = error_versus_discard(similarity, wrong)
    random = float(wrong.mean()) * _AREA_UP_TO

    damaged = [probe for probe in probes if probe.damage is not None]
    beyond = [probe for probe in damaged if not probe.recognised(threshold)]
    found = [probe for probe in beyond if probe.quality is not None]
    usable = [probe for probe in damaged if probe.recognised(threshold)]
    levels = {
        level.value: {
            "degraded": _refused(beyond, level),
            "degraded_with_a_face": _refused(found, level),
            "recognisable": _refused(usable, level),
            "untouched": float(
                np.mean([bool(shortcomings(face.quality, level)) for face in untouched.values()])
            ),
        }
        for level in _LEVELS
    }
    auto = levels[QualityFilter.AUTO.value]
    figures = {
        "pairs": len(pairs),
        "threshold": threshold,
        "edc": [[share, fnmr] for share, fnmr in curve],
        "edc_auc": area(curve),
        "edc_auc_random": random,
        "edc_auc_oracle": area(oracle),
        "degraded_photos": len(beyond),
        "refused_degraded": auto["degraded"],
        "refused_degraded_with_a_face": auto["degraded_with_a_face"],
        "refused_recognisable": auto["recognisable"],
        "untouched_photos": len(untouched),
        "refused_untouched": auto["untouched"],
        "levels": levels,
        "quality_ms": milliseconds,
    }
    print_table(
        "Quality of faces, LFW damaged on purpose",
        [
            ("pairs, FNMR of all", f"{len(pairs):,}, {wrong.mean():.4f} at {threshold:.4f}"),
            *(
                (f"FNMR with {share:.0%} discarded (oracle)", f"{fnmr:.4f} ({best:.4f})")
                for (share, fnmr), (_, best) in zip(curve[1:13], oracle[1:13], strict=True)
            ),
            (
                f"area below, up to {_AREA_UP_TO:.0%}",
                f"{area(curve):.4f}; random {random:.4f}, oracle {area(oracle):.4f}",
            ),
            *_by_kind(damaged, threshold),
            ("damaged beyond recognition", f"{len(beyond):,}, {len(found):,} of them with a face"),
            ("other damaged, untouched", f"{len(usable):,}, {len(untouched):,}"),
            *(
                (f"refused by {level}", _shares_in_words(shares))
                for level, shares in levels.items()
            ),
            ("a face takes", f"{milliseconds:.2f} ms of one core"),
        ],
    )
    print_figures("quality", figures)


def _shares_in_words(shares: dict[str, float]) -> str:
    return (
        f"{shares['degraded']:.1%} of those beyond recognition "
        f"({shares['degraded_with_a_face']:.1%} of those with a face), "
        f"{shares['recognisable']:.1%} of the other damaged, {shares['untouched']:.2%} untouched"
    )


def _refused(probes: Sequence[Probe], level: QualityFilter) -> float:
    """Share; where there is no face, enrolling refuses as well."""
    refused = [
        probe.quality is None or bool(shortcomings(probe.quality, level)) for probe in probes
    ]
    return float(np.mean(refused)) if refused else float("nan")


def _by_kind(damaged: Sequence[Probe], threshold: float) -> list[tuple[str, str]]:
    rows = []
    for kind in dict.fromkeys(damage.kind for damage in DAMAGES):
        own = [probe for probe in damaged if probe.damage is not None and probe.damage.kind == kind]
        beyond = [probe for probe in own if not probe.recognised(threshold)]
        usable = [probe for probe in own if probe.recognised(threshold)]
        refused = f"{_refused(beyond, QualityFilter.AUTO):.0%}" if beyond else "none"
        others = f"{_refused(usable, QualityFilter.AUTO):.0%}" if usable else "none"
        counts = f"{len(beyond)} of {len(own)}, {refused} refused by auto; of the others {others}"
        rows.append((f"{kind}: beyond recognition", counts))
    return rows
