"""The weights of `distinctiveness` for an embedder, and what they are worth.

    python -m benchmarks fit_distinctiveness --faces FOLDER [--embedder NAME] [--out FILE] [--quick]
    python -m benchmarks fit_distinctiveness --smoke

People are split in halves as for `wrong_way`. Of each person of one half, a photo is made bad in
eight ways of `bad_photos.py`, chosen at random; turned photos are left out, since they are turned
back before faces are embedded. `distinctiveness_weights.py` says how the weights follow from these
faces and from all untouched photos of the half. A face matches another from the similarity of an
FMR of 1e-3, by the network's calibration if it has one, and by the untouched photos if not.

What is printed is measured on people of the other half: untouched photos below each value; for each
kind, the share of bad photos that are below 0.2, the quality floor, and the share of the pairs of
strangers that match among all photos of the kind and among those above. If the network has weights,
both are compared.

`--out` writes the file that `models/zoo/weights/shipped/distinctiveness/` holds for a network of
the zoo, and that is the `distinctiveness` of a card.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import Progress

from app.recognition.build import build_recognizer, load_named_network, named_embedder
from app.recognition.pipeline import Recognizer
from app.recognition.types import Embedding
from app.runtime.gather import together
from app.settings import Settings
from benchmarks.accuracy.damage.bad_photo_people import face_of, photos_of_half, pixels_of
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS, FITTED_TO, UNTOUCHED
from benchmarks.accuracy.distinctiveness_weights import (
    BadFaces,
    Embeddings,
    GoodFaces,
    fit_distinctiveness,
    threshold_of_strangers,
)
from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from models.files import write_text_atomically
from models.zoo.network import Network
from models.zoo.weights.distinctiveness import Distinctiveness

_FMR: Final = 1e-3
_FLOOR: Final = 0.2
_LEVELS: Final = (_FLOOR, 0.3, 0.4, 0.6, 0.8)
_SEED: Final = 77
_KINDS: Final = tuple(
    name for name in FITTED_TO if name != UNTOUCHED and not name.startswith("turned")
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is looked at; None: all there is.

    `people` and `tried` have their photos made bad: those of whom the weights are found, and those
    of the other half.
    """

    people: int | None = None
    tried: int = 300
    untouched: int | None = None
    kinds: Sequence[str] = _KINDS
    kinds_each: int = 8
    least_faces: int = 20


_QUICK: Final = Extent(people=300, tried=100, untouched=800)
_SMOKE: Final = Extent(4, 2, 6, ("blur of 6", "noise of 60"), 2, least_faces=2)


@dataclass(frozen=True, slots=True)
class Sample:
    """Faces of a half."""

    good: GoodFaces
    bad: BadFaces


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only {_QUICK.people} people", faces=True)
    parser.add_argument("--embedder", help="its name; by default, the one that the settings name")
    parser.add_argument("--weights", type=Path, help="its weights file, where it is elsewhere")
    parser.add_argument("--out", type=Path, help="file for the weights, JSON")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()

    settings = Settings()
    network = load_named_network(
        settings, options.embedder or named_embedder(settings), options.weights
    )
    extent = _SMOKE if options.smoke else _QUICK if options.quick else Extent()
    recognizer = build_recognizer(settings, network)
    try:
        chosen = asyncio.run(
            _look(recognizer, photos_of_half(data, "choose"), extent, extent.people)
        )
        others = asyncio.run(
            _look(recognizer, photos_of_half(data, "report"), extent, extent.tried)
        )
    finally:
        recognizer.stop()
    threshold = _threshold(network, chosen.good)
    found = fit_distinctiveness(chosen.good, chosen.bad, threshold, least_faces=extent.least_faces)
    if options.out is not None:
        write = {"weights": list(found.weights), "offset": found.offset}
        write_text_atomically(options.out, json.dumps(write) + "\n")
    _report(network, found, chosen, others, threshold)


async def _look(
    recognizer: Recognizer, photos: Sequence[Sequence[Path]], extent: Extent, bad_people: int | None
) -> Sample:
    turns = asyncio.Semaphore(recognizer.concurrency)
    untouched = [photo for own in photos for photo in own][: extent.untouched]
    sample = list(enumerate(photos[:bad_people]))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("recognising", total=len(untouched) + len(sample))

        async def good(photo: Path) -> tuple[str, Embedding] | None:
            async with turns:
                face = await face_of(recognizer, await asyncio.to_thread(pixels_of, photo))
            progress.advance(task)
            return None if face is None else (photo.parent.name, face.embedding)

        async def bad(number: int, own: Sequence[Path]) -> list[tuple[str, str, Embedding]]:
            async with turns:
                found = await _bad_faces(recognizer, number, own, extent)
            progress.advance(task)
            return found

        seen = await together(good(photo) for photo in untouched)
        made = [face for of in await together(bad(*one) for one in sample) for face in of]
    faces = [face for face in seen if face is not None]
    return Sample(
        GoodFaces(_rows([row for _, row in faces]), np.array([person for person, _ in faces])),
        BadFaces(
            _rows([row for *_, row in made]),
            np.array([person for person, *_ in made]),
            np.array([kind for _, kind, _ in made]),
        ),
    )


async def _bad_faces(
    recognizer: Recognizer, number: int, own: Sequence[Path], extent: Extent
) -> list[tuple[str, str, Embedding]]:
    """(person, kind, embedding) of one photo of a person, made bad."""
    rng = np.random.default_rng([number, _SEED])
    path = own[int(rng.integers(len(own)))]
    photo = await asyncio.to_thread(pixels_of, path)
    face = await face_of(recognizer, photo)
    if face is None:
        return []
    found = []
    for kind in rng.choice(extent.kinds, extent.kinds_each, replace=False).tolist():
        made = await asyncio.to_thread(BAD_PHOTOS[kind], photo, face.face.landmarks, rng)
        seen = await face_of(recognizer, made)
        if seen is not None:
            found.append((path.parent.name, kind, seen.embedding))
    return found


def _threshold(network: Network, good: GoodFaces) -> float:
    measured = network.spec.calibration
    return threshold_of_strangers(good, _FMR) if measured is None else measured.threshold(_FMR)


def _report(
    network: Network, found: Distinctiveness, chosen: Sample, others: Sample, threshold: float
) -> None:
    untouched = {
        name: {
            f"{level:g}": _share_below(found, sample.good.embeddings, level) for level in _LEVELS
        }
        for name, sample in (("chosen", chosen), ("others", others))
    }
    kinds = {
        str(kind): _of_kind(found, others.bad.embeddings[others.bad.kinds == kind], threshold)
        for kind in np.unique(others.bad.kinds)
    }
    agreement = _agreement(network.spec.distinctiveness, found, others)
    counts = f"{len(chosen.good.people):,} untouched and {len(chosen.bad.people):,} bad photos"
    print_table(
        f"Distinctiveness of {network.spec.name}, from {counts}",
        [
            ("similarity of a match", f"{threshold:.4f}"),
            *(
                (f"{len(others.good.people):,} untouched of others, below {level}", f"{share:.2%}")
                for level, share in untouched["others"].items()
            ),
            *(
                (
                    f"{kind}: below {_FLOOR:g}; strangers that match, of all, of those above",
                    _in_words(of),
                )
                for kind, of in kinds.items()
            ),
            *(
                (f"beside the weights that it has: {name}", f"{v:.3f}")
                for name, v in agreement.items()
            ),
        ],
    )
    print_figures(
        "fit_distinctiveness",
        {
            "embedder": network.spec.name,
            "threshold": threshold,
            "untouched_photos": len(chosen.good.people),
            "bad_photos": len(chosen.bad.people),
            "untouched_below": untouched,
            "kinds": kinds,
            "agreement": agreement,
        },
    )


def _in_words(of: Mapping[str, float]) -> str:
    return (
        f"{of['below']:.0%} of {of['photos']:.0f}; {of['strangers']:.4f}, "
        f"{of['strangers_above']:.4f} ({of['pairs_above']:,.0f} pairs)"
    )


def _of_kind(found: Distinctiveness, rows: Embeddings, threshold: float) -> dict[str, float]:
    above = rows[found.of(rows) >= _FLOOR]
    return {
        "photos": len(rows),
        "below": 1 - len(above) / len(rows),
        "strangers": _matched(rows, threshold),
        "strangers_above": _matched(above, threshold),
        "pairs_above": len(above) * (len(above) - 1) // 2,
    }


def _matched(rows: Embeddings, threshold: float) -> float:
    """Share of the pairs; 0 where there is none. Of each person there is one photo of a kind."""
    pairs = (rows @ rows.T)[np.triu_indices(len(rows), 1)] >= threshold
    return float(pairs.mean()) if len(pairs) else 0.0


def _agreement(
    has: Distinctiveness | None, found: Distinctiveness, others: Sample
) -> dict[str, float]:
    """Compare the weights that the network has with those found, on photos of other people."""
    if has is None:
        return {}
    rows = np.concatenate([others.good.embeddings, others.bad.embeddings])
    old, new = has.of(rows), found.of(rows)
    return {
        "correlation of the values": float(np.corrcoef(old, new)[0, 1]),
        "mean difference of the values": float(np.abs(old - new).mean()),
        "share on the same side of the floor": float(((old < _FLOOR) == (new < _FLOOR)).mean()),
        "untouched below its floor": _share_below(has, others.good.embeddings, _FLOOR),
        "bad below its floor": _share_below(has, others.bad.embeddings, _FLOOR),
        "bad below the floor of those found": _share_below(found, others.bad.embeddings, _FLOOR),
    }


def _share_below(measure: Distinctiveness, rows: Embeddings, level: float) -> float:
    return float((measure.of(rows) < level).mean()) if len(rows) else 0.0


def _rows(embeddings: Sequence[Embedding]) -> Embeddings:
    return np.stack(embeddings).astype(np.float32)
