"""Error rates on bad photos: turned, blurred, dark, covered, tiny or compressed.

    python -m benchmarks wrong_way --faces FOLDER [--quick] [--people N] [--kinds KIND ...]
        [--half report|choose] [--cache FOLDER]
    python -m benchmarks wrong_way --smoke

Photos of Labeled Faces in the Wild are made bad in every way of `bad_photos.py`: turned, blurred,
dark, covered, tiny, compressed. People are split in two halves (`bad_photo_people.py`); the
quality floor and `distinctiveness` were chosen by one, and what is printed is measured on the
other.

For each kind: the share found; of these, the share that is rejected by default; the share of all
that match another, good photo of their person; and how often two strangers of the same kind match,
of the pairs that are decided and of all pairs that are found. `before` decides on every face by the
one threshold of the rate, as `quality_filter=none` does; `after` has the quality floor, and the
higher threshold for two doubtful photos. Strangers that match must stay within ten times the rate
that is claimed.

Also the share of untouched photos that the floor refuses, and what the inbox of unknown faces makes
of 60 strangers of a kind.

`--cache` keeps what was recognised; delete it when detection, embedding or quality changes.
`--smoke` takes two people and a few kinds.
"""

import argparse
import asyncio
import pickle
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from rich.table import Table

from app.gallery.unknowns.unknown_centroids import mean_direction
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.operations.policy.rate_claims import doubt, doubt_of_score
from app.operations.policy.thresholds import Thresholds
from app.operations.unknowns import KEPT_FROM
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.pipeline import Recognizer
from app.recognition.types import EmbeddedFace, FaceQuality, Pixels
from app.runtime.gather import together
from app.settings import Settings
from benchmarks.accuracy.damage.bad_photo_people import Half, face_of, photos_of_half, pixels_of
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS, UNTOUCHED, Make
from benchmarks.kit.lfw_data import LfwData, lfw_data
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from models.zoo.network import Network

_PEOPLE, _QUICK_PEOPLE, _SMOKE_PEOPLE = 300, 60, 2
_UNTOUCHED, _QUICK_UNTOUCHED, _SMOKE_UNTOUCHED = 2_000, 300, 3
_SMOKE_KINDS: Final = (UNTOUCHED, "turned by 90", "blur of 6", "mask")
_TARGETS: Final = (1e-3, 1e-4)
_STRANGERS: Final = 60

Face = EmbeddedFace | None


@dataclass(frozen=True, slots=True)
class Person:
    """Two photos of a person; `one` is made bad, `other` stays."""

    one: Pixels
    other: Pixels


@dataclass(frozen=True)
class Kind:
    """The faces that were found in photos of a kind, and for each the person's good photo."""

    photos: int
    faces: Sequence[EmbeddedFace]
    good: Sequence[EmbeddedFace]

    @cached_property
    def similarities(self) -> NDArray[np.float32]:
        """Similarities of all pairs of strangers, in the order of `np.triu_indices`."""
        rows = _rows(self.faces)
        return np.asarray((rows @ rows.T)[np.triu_indices(len(rows), 1)])

    @cached_property
    def rejected(self) -> NDArray[np.bool_]:
        return np.array([_is_rejected(face.quality) for face in self.faces], dtype=bool)

    @cached_property
    def decided(self) -> NDArray[np.bool_]:
        """Pairs that pass the quality floor."""
        first, second = np.triu_indices(len(self.faces), 1)
        return np.asarray(~self.rejected[first] & ~self.rejected[second])


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares; `strangers_after` of the pairs decided, `strangers_of_all` of all pairs found."""

    found: float
    rejected: float
    right_before: float
    right_after: float
    strangers_before: float
    strangers_after: float
    strangers_of_all: float
    matches: int
    pairs: int


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only {_QUICK_PEOPLE} people", faces=True)
    parser.add_argument("--people", type=int, help=f"so many people, instead of {_PEOPLE}")
    parser.add_argument("--kinds", nargs="+", choices=BAD_PHOTOS, metavar="KIND", help="only these")
    parser.add_argument("--half", choices=("report", "choose"), default="report")
    parser.add_argument("--cache", type=Path, help="folder for what was recognised")
    options = parse_options(parser, needs_faces=True)
    print_machine()

    settings = Settings()
    network = load_configured_network(settings)
    if network.spec.calibration is None:
        parser.error(f"no error rates were measured for {network.spec.name}")
    count, most, names = _extent(options)
    people, untouched = lfw_people(
        lfw_data(parser, options.faces), options.half, count=count, untouched=most
    )
    makes = {name: BAD_PHOTOS[name] for name in BAD_PHOTOS if name in names}
    recognizer = build_recognizer(settings, network)
    try:
        kinds, qualities = asyncio.run(
            _recognise(
                recognizer,
                people,
                makes,
                untouched,
                _Cache(options.cache, options.half, network),
            )
        )
    finally:
        recognizer.stop()
    _report(kinds, qualities, _thresholds(settings, network))


def _extent(options: argparse.Namespace) -> tuple[int, int, Collection[str]]:
    """Numbers of people and of untouched photos, and the kinds of bad photos."""
    if options.smoke:
        return _SMOKE_PEOPLE, _SMOKE_UNTOUCHED, _SMOKE_KINDS
    count = options.people or (_QUICK_PEOPLE if options.quick else _PEOPLE)
    most = _QUICK_UNTOUCHED if options.quick else _UNTOUCHED
    return count, most, {UNTOUCHED, *(options.kinds or BAD_PHOTOS)}


def lfw_people(
    data: LfwData, half: Half, *, count: int, untouched: int
) -> tuple[list[Person], list[Path]]:
    """People of two photos or more, and photos of everybody, of one half."""
    own = photos_of_half(data, half)
    pairs = [photos for photos in own if len(photos) > 1][:count]
    people = [Person(*map(pixels_of, photos[:2])) for photos in pairs]
    return people, [photo for photos in own for photo in photos][:untouched]


class _Cache:
    """Faces by a name, in files of a folder, if there is one."""

    def __init__(self, folder: Path | None, half: str, network: Network) -> None:
        self._folder = folder
        self._prefix = f"{network.digest[:12]}-{half}"

    def read(self, name: str, count: int) -> list[Face] | None:
        path = self._path(name, count)
        if path is None or not path.is_file():
            return None
        faces: list[Face] = pickle.loads(path.read_bytes())  # noqa: S301  (written by `keep`)
        return faces

    def keep(self, name: str, faces: Sequence[Face]) -> None:
        path = self._path(name, len(faces))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps(list(faces)))

    def _path(self, name: str, count: int) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{self._prefix}-{count}-{name.replace(' ', '_')}.pickle"


async def _recognise(
    recognizer: Recognizer,
    people: Sequence[Person],
    makes: Mapping[str, Make],
    untouched: Sequence[Path],
    cache: _Cache,
) -> tuple[dict[str, Kind], list[FaceQuality]]:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("recognising", total=len(makes) + 3)

        async def faces(name: str, photos: Sequence[Pixels | None]) -> list[Face]:
            found = cache.read(name, len(photos))
            if found is None:
                found = await _faces(recognizer, photos)
                cache.keep(name, found)
            progress.advance(task)
            return found

        good = await faces("other", [person.other for person in people])
        ones = await faces(UNTOUCHED, [person.one for person in people])
        kinds = {}
        numbers = {name: number for number, name in enumerate(BAD_PHOTOS)}
        for name, make in makes.items():
            number = numbers[name]
            made = [
                None
                if one is None or other is None
                else make(person.one, one.face.landmarks, np.random.default_rng([place, number]))
                for place, (person, one, other) in enumerate(zip(people, ones, good, strict=True))
            ]
            found = await faces(name, made)
            both = [
                (face, other)
                for face, other in zip(found, good, strict=True)
                if face is not None and other is not None
            ]
            count = sum(photo is not None for photo in made)
            kinds[name] = Kind(count, [face for face, _ in both], [other for _, other in both])
        plain = await faces("all", [pixels_of(path) for path in untouched])
    return kinds, [face.quality for face in plain if face is not None]


async def _faces(recognizer: Recognizer, photos: Sequence[Pixels | None]) -> list[Face]:
    turns = asyncio.Semaphore(recognizer.concurrency)

    async def one(photo: Pixels | None) -> Face:
        if photo is None:
            return None
        async with turns:
            return await face_of(recognizer, photo)

    return await together(one(photo) for photo in photos)


def _report(kinds: Mapping[str, Kind], untouched: Sequence[FaceQuality], rules: Thresholds) -> None:
    every: dict[str, dict[str, object]] = {}
    for target in _TARGETS:
        table = Table(title=f"Bad photos at an FMR of {target:g}: shares")
        for heading in (
            "kind",
            "found",
            "rejected",
            "right before",
            "after",
            "strangers before",
            "after",
            "of all pairs",
            "times the rate",
        ):
            table.add_column(heading, justify="left" if heading == "kind" else "right")
        for name, kind in kinds.items():
            figures = _figures(kind, rules, target)
            every.setdefault(name, {})[f"{target:g}"] = asdict(figures)
            table.add_row(
                name,
                f"{figures.found:.0%}",
                f"{figures.rejected:.0%}",
                f"{figures.right_before:.0%}",
                f"{figures.right_after:.0%}",
                f"{figures.strangers_before:.4f}",
                f"{figures.strangers_after:.4f} ({figures.matches} of {figures.pairs:,})",
                f"{figures.strangers_of_all:.5f}",
                f"{figures.strangers_of_all / target:.1f}",
            )
        console.print(table)
    refused = {
        level.value: _share([bool(shortcomings(quality, level)) for quality in untouched])
        for level in QualityFilter
        if level is not QualityFilter.NONE
    }
    inbox = {name: _inbox(kind, rules) for name, kind in kinds.items()}
    print_table(
        "Untouched photos refused, and unknown faces",
        [
            *(
                (f"{len(untouched):,} untouched, refused by {k}", f"{v:.2%}")
                for k, v in refused.items()
            ),
            *(
                (f"{seen} strangers, {name}", f"{kept} kept; the largest group has {largest}")
                for name, (seen, kept, largest) in inbox.items()
            ),
        ],
    )
    print_figures("wrong_way", {"kinds": every, "untouched_refused": refused, "inbox": inbox})


def _figures(kind: Kind, rules: Thresholds, target: float) -> Figures:
    plain = rules.for_verify(target_fmr=target)
    limits = _limits(kind, rules, target)
    matches = int((kind.decided & (kind.similarities >= limits)).sum())
    own = np.sum(_rows(kind.faces) * _rows(kind.good), axis=1)
    own_limits = np.array(
        [
            rules.for_verify(target_fmr=target, doubt=doubt(face.quality, other.quality))
            for face, other in zip(kind.faces, kind.good, strict=True)
        ]
    )
    pairs = int(kind.decided.sum())
    photos = max(kind.photos, 1)
    return Figures(
        found=len(kind.faces) / photos,
        rejected=_share(kind.rejected),
        right_before=float((own >= plain).sum()) / photos,
        right_after=float((~kind.rejected & (own >= own_limits)).sum()) / photos,
        strangers_before=_share(kind.similarities >= plain),
        strangers_after=matches / max(pairs, 1),
        strangers_of_all=matches / max(len(kind.similarities), 1),
        matches=matches,
        pairs=pairs,
    )


def _limits(kind: Kind, rules: Thresholds, target: float) -> NDArray[np.float64]:
    """The threshold of each pair of strangers; between whole scores, their thresholds' line."""
    scores = np.array([face.quality.unified for face in kind.faces])
    first, second = np.triu_indices(len(scores), 1)
    better = np.maximum(scores[first], scores[second])
    whole = np.arange(101)
    of_whole = [
        rules.for_verify(target_fmr=target, doubt=doubt_of_score(float(score))) for score in whole
    ]
    return np.asarray(np.interp(better, whole, of_whole))


def _inbox(kind: Kind, rules: Thresholds) -> tuple[int, int, int]:
    """Counts of some strangers: all, those kept, and those in the largest group."""
    seen = kind.faces[:_STRANGERS]
    kept = _rows([face for face in seen if not shortcomings(face.quality, KEPT_FROM)])
    threshold = rules.alike()
    assert threshold is not None  # the network was measured
    groups: list[list[int]] = []
    for place, row in enumerate(kept):
        centroids = [mean_direction(kept[group]) for group in groups]
        near = [float(centroid @ row) for centroid in centroids]
        if near and max(near) >= threshold:
            groups[int(np.argmax(near))].append(place)
        else:
            groups.append([place])
    return len(seen), len(kept), max(map(len, groups), default=0)


def _thresholds(settings: Settings, network: Network) -> Thresholds:
    chosen = settings.thresholds
    return Thresholds(
        network.spec.name,
        network.spec.calibration,
        target_fmr=chosen.target_fmr,
        target_fpir=chosen.target_fpir,
    )


def _is_rejected(quality: FaceQuality) -> bool:
    return bool(shortcomings(quality, QualityFilter.FLOOR))


def _rows(faces: Sequence[EmbeddedFace]) -> NDArray[np.float32]:
    if not faces:
        return np.empty((0, 1), dtype=np.float32)
    return np.stack([face.embedding for face in faces])


def _share(of: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(of)) if len(of) else 0.0
