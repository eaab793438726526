"""Planted mistakes that the gallery doctor finds, and how often the guards are right.

    python -m benchmarks doctor --faces FOLDER [--quick] [--cache FILE] [--half 0]

Enrolls people of Labeled Faces in the Wild, up to ten photos each; some of them under two names,
with half of the photos each, and some with a photo of another enrolled person. The doctor's rules
were chosen on one half of the people (`--half 0`); the report is on the other.

The doctor reads embeddings alone, so the photos are embedded by the service's recognizer and then
enrolled as embeddings, without the guards.
"""

import math
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.doctor import Checkup, DoctorPolicy, FindingKind
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import NewFace, NewIdentity, Searched
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.operations.doctor import doctor_policy
from app.operations.policy.thresholds import Thresholds
from app.recognition.build import load_configured_network
from app.recognition.types import ModelId
from app.services.known_thresholds import default_thresholds
from app.settings import Settings
from benchmarks.kit.lfw_data import LfwData, lfw_data, person_of
from benchmarks.kit.lfw_embeddings import embed_photos
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table

_SEED = 0
_PHOTOS = 10
_GALLERIES = (100, 300, 1_000)

Vectors = dict[str, list[NDArray[np.float32]]]
"""Embeddings by person."""


@dataclass(frozen=True, slots=True)
class Planted:
    """People and the embeddings that they are enrolled with; a mislabel is a name and a place."""

    people: Vectors
    mislabels: set[tuple[str, int]]
    duplicates: set[frozenset[str]]


def main() -> None:
    parser = benchmark_parser(
        __doc__, quick="a fifth of the people and mistakes", faces=True, cache=True
    )
    parser.add_argument("--half", type=int, default=1, choices=(0, 1), help="0: for choosing rules")
    options = parse_options(parser, needs_faces=True)
    print_machine()
    count, planted = (200, 10) if options.quick else (1_000, 50)
    if options.smoke:
        count, planted = 7, 2
    settings = Settings()
    network = load_configured_network(settings)
    data = lfw_data(parser, options.faces)
    people = _half(data, options.half)
    shown = _ordered(people)
    wanted = [photo for name in shown[: 2 * count] for photo in people[name][:_PHOTOS]]
    found, _ = embed_photos(settings, network, data, cache=options.cache)
    vectors: Vectors = {}
    for photo in wanted:
        if (embedding := found[photo]) is not None:
            vectors.setdefault(person_of(photo), []).append(embedding)
    vectors = {name: vectors[name] for name in shown if name in vectors}

    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/gallery.db", timeout_s=60)
        database.upgrade()
        name = network.spec.name
        gallery = Gallery(
            database,
            IndexSync(database, FaissIndex),
            ModelId(name, network.digest, network.spec.dimension),
        )
        gallery.open()
        thresholds = default_thresholds(settings, network)
        rules = doctor_policy(thresholds)
        plan = _plant(dict(list(vectors.items())[:count]), planted)
        checkup, seconds = _examine(gallery, plan, rules)
        names = _names(gallery, checkup)
        gallery.close()
    figures = _scores(plan, checkup, names)
    _report(plan, checkup, figures, seconds, rules, _guard_rates(vectors, thresholds))


def _half(data: LfwData, half: int) -> dict[str, list[str]]:
    people = data.photos_by_person()
    names = sorted(people)
    random.Random(_SEED).shuffle(names)
    return {name: people[name] for name in names[half::2]}


def _ordered(people: dict[str, list[str]]) -> list[str]:
    """People with several photos first: only they can be mislabelled or enrolled twice."""
    return sorted(people, key=lambda name: len(people[name]) < 2)


def _plant(people: Vectors, count: int) -> Planted:
    several = [name for name, photos in people.items() if len(photos) >= 2]
    random.Random(_SEED).shuffle(several)
    twice, receiving = several[:count], several[count : 2 * count]
    giving = several[2 * count : 3 * count]
    planted = {name: list(photos) for name, photos in people.items()}
    duplicates = set()
    for name in twice:
        photos = planted[name]
        planted[name], planted[f"{name} again"] = photos[::2], photos[1::2]
        duplicates.add(frozenset({name, f"{name} again"}))
    mislabels = set()
    for giver, receiver in zip(giving, receiving, strict=True):
        planted[receiver].append(planted[giver].pop())
        mislabels.add((receiver, len(planted[receiver]) - 1))
    return Planted(planted, mislabels, duplicates)


def _examine(gallery: Gallery, plan: Planted, rules: DoctorPolicy) -> tuple[Checkup, float]:
    new = [
        NewPerson(
            NewIdentity(external_id=name),
            tuple(_face(embedding, f"{name} {place}") for place, embedding in enumerate(photos)),
        )
        for name, photos in plan.people.items()
    ]
    gallery.people.enroll_many(DEFAULT_COLLECTION, new)
    started = perf_counter()
    checkup = gallery.search.examine(
        DEFAULT_COLLECTION, rules, limit=1_000_000, cursor=None, within_s=3_600
    )
    return checkup, perf_counter() - started


def _face(embedding: NDArray[np.float32], photo: str) -> NewFace:
    return NewFace(embedding, None, None, None, sha256(photo.encode()).hexdigest())


def _names(gallery: Gallery, checkup: Checkup) -> dict[str, str]:
    """The photo of each face id of the findings."""
    people = {
        finding.identity.identity_id: finding.identity.external_id or ""
        for finding in checkup.findings
        if finding.face_id is not None
    }
    return {
        face.id: f"{name} {place}"
        for identity_id, name in people.items()
        for place, face in enumerate(
            gallery.faces.page(DEFAULT_COLLECTION, identity_id, limit=1_000, cursor=None).items
        )
    }


def _scores(plan: Planted, checkup: Checkup, names: dict[str, str]) -> dict[str, float]:
    mislabels = {
        names[finding.face_id]
        for finding in checkup.findings
        if finding.kind is FindingKind.MISLABEL and finding.face_id is not None
    }
    duplicates = {
        frozenset({finding.identity.external_id or "", finding.other.external_id or ""})
        for finding in checkup.findings
        if finding.kind is FindingKind.DUPLICATE and finding.other is not None
    }
    wrong = {f"{name} {place}" for name, place in plan.mislabels}
    return {
        "mislabel_precision": len(mislabels & wrong) / max(1, len(mislabels)),
        "mislabel_recall": len(mislabels & wrong) / len(wrong),
        "duplicate_precision": len(duplicates & plan.duplicates) / max(1, len(duplicates)),
        "duplicate_recall": len(duplicates & plan.duplicates) / len(plan.duplicates),
    }


def _guard_rates(vectors: Vectors, thresholds: Thresholds) -> dict[str, float]:
    """Shares of photos that each guard refuses: those that it should let in, and should not."""
    rng = np.random.default_rng(_SEED)
    names = list(vectors)
    resembles = thresholds.resembling()
    assert resembles is not None
    rates: dict[str, float] = {}
    for enrolled in (1, 3):
        own, wrong = [], []
        for name in names:
            photos = vectors[name]
            if len(photos) <= enrolled:
                continue
            for place, photo in enumerate(photos):
                others = [other for i, other in enumerate(photos) if i != place]
                some = np.stack([others[i] for i in rng.permutation(len(others))[:enrolled]])
                own.append(float((some @ photo).max()))
                stranger = names[int(rng.integers(len(names)))]
                if stranger != name:
                    wrong.append(float((some @ vectors[stranger][0]).max()))
        rates[f"genuine_refused_of_{enrolled}"] = _share(own, below=resembles)
        rates[f"wrong_refused_of_{enrolled}"] = _share(wrong, below=resembles)
    order = [names[i] for i in rng.permutation(len(names))]
    firsts = np.stack([vectors[name][0] for name in order])
    for size in _GALLERIES:
        half = len(order) // 5
        if size + half > len(order):
            size = len(order) - half  # noqa: PLW2901  (as many as there are)
        best = (firsts[:half] @ firsts[half : half + size].T).max(axis=1)
        another = thresholds.for_identify(searched=Searched(size, size))
        rates[f"strangers_refused_among_{size}"] = float((best >= another).mean())
        again = [
            float(photos[0] @ photos[1]) >= another
            for photos in vectors.values()
            if len(photos) > 1
        ]
        rates[f"second_enrolment_refused_among_{size}"] = float(np.mean(again))
    return rates


def _share(values: Sequence[float], *, below: float) -> float:
    """NaN when there are no values."""
    return float((np.array(values) < below).mean()) if values else math.nan


def _report(
    plan: Planted,
    checkup: Checkup,
    scores: dict[str, float],
    seconds: float,
    rules: DoctorPolicy,
    rates: dict[str, float],
) -> None:
    counts = Counter(finding.kind for finding in checkup.findings)
    print_table(
        f"Gallery doctor: like themselves {rules.resembles:.4f}, like another {rules.another:.4f}",
        [
            ("identities, faces", f"{len(plan.people):,}, {checkup.faces_examined:,}"),
            ("mislabelled photos planted", str(len(plan.mislabels))),
            ("people planted under two names", str(len(plan.duplicates))),
            *((name.replace("_", " "), f"{value:.3f}") for name, value in scores.items()),
            *((f"findings: {kind}", str(counts[kind])) for kind in FindingKind),
            ("seconds", f"{seconds:.1f}"),
        ],
    )
    print_table(
        "Guards: shares refused",
        [(name.replace("_", " "), f"{value:.3f}") for name, value in rates.items()],
    )
    print_figures(
        "doctor",
        {
            **scores,
            "identities": len(plan.people),
            "faces": checkup.faces_examined,
            "seconds": round(seconds, 2),
            **rates,
        },
    )
