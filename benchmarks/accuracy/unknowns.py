"""Quality of the groups of unknown faces as they arrive, and the cost of keeping one.

    python -m benchmarks unknowns --faces FOLDER [--quick] [--cache FILE]

Strangers are seen one photo at a time in random order, and put into groups by several rules and
thresholds. These are compared on one half of the people; the choice is reported on the other half,
which had no part in it, and on all people.

Pairwise precision and recall are over pairs of photos: of those in one group, how many are of one
person; of those of one person, how many are in one group. BCubed F is the mean over photos (Amigo
et al., 2009). The effect of the order is the spread of BCubed F, and the adjusted
Rand index of the groups that two orders make.

The cost is that of `Unknowns.keep` on a database with 10,000 groups of random directions, and the
difference that it makes to requests over HTTP, to a collection that keeps, one that keeps crops as
well, and one that does not, in turns.
"""

import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import httpx2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from app.constants import CONSTANTS
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.records import CollectionChanges
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.gallery.unknowns.unknown_centroids import Centroids, mean_direction
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits, Sighting
from app.recognition.build import load_configured_network
from app.recognition.types import ModelId
from app.settings import Settings
from benchmarks.kit.lfw_data import lfw_data, person_of
from benchmarks.kit.lfw_embeddings import embed_photos
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.vectors import DIMENSION, unit_vectors
from models.evaluation.calibration.similarity_map import SimilarityMap
from tests.kit import photos
from tests.kit.server import running

Labels = NDArray[np.int64]
Vectors = NDArray[np.float32]
Rule = Callable[[Vectors, float], Labels]
"""Group numbers of vectors in the order that they are seen in, by a threshold."""

_KEPT = CONSTANTS.unknown_faces_a_group
_FMRS = (1e-3, 1e-4, 3e-5, 1e-5)
_CHOSEN = ("centroid", 3e-5)
_SEED = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of what is timed."""

    groups: int = 10_000
    timed: int = 300
    requests: int = 60


_SMOKE = Scale(groups=20, timed=3, requests=2)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Figures of one order, or the mean of several; all but the counts are 0 to 1."""

    precision: float
    recall: float
    bcubed_f: float
    nmi: float
    groups: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Over several orders: the mean, the least and greatest BCubed F, the orders' likeness."""

    mean: Grouping
    least_bcubed_f: float
    greatest_bcubed_f: float
    rand_between_orders: float


def main() -> None:
    parser = benchmark_parser(__doc__, quick="a fifth of the people", faces=True, cache=True)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    photos = data.photos()
    if options.quick:
        names = sorted({person_of(photo) for photo in photos})[::5]
        photos = [photo for photo in photos if person_of(photo) in set(names)]
    settings = Settings()
    network = load_configured_network(settings)
    if network.spec.calibration is None:
        parser.error(f"nobody has measured thresholds for {network.spec.name}")
    embedded, _ = embed_photos(settings, network, data, cache=options.cache)
    found = {photo: vector for photo in photos if (vector := embedded[photo]) is not None}
    people = [person_of(photo) for photo in found]
    scale = _SMOKE if options.smoke else Scale()
    report(people, np.stack(list(found.values())), network.spec.calibration, scale)


def report(people: Sequence[str], vectors: Vectors, measured: SimilarityMap, scale: Scale) -> None:
    """Compare the rules on one half of the people, and print the chosen one on the other."""
    thresholds = {fmr: measured.threshold(fmr) for fmr in _FMRS}
    _, labels = np.unique(np.array(people), return_inverse=True)
    halves = _halves(labels)
    rules: dict[str, Rule] = {
        "best member": by_best_member,
        "centroid": by_centroid,
        # A floor that genuine pairs seldom fall below: FMR 1e-2.
        "centroid, complete link": by_complete_link(measured.threshold(1e-2)),
    }
    compared = {
        (name, fmr): outcome(rule, vectors[halves[0]], labels[halves[0]], threshold, orders=2)
        for name, rule in rules.items()
        for fmr, threshold in thresholds.items()
    }
    _print_compared(compared, len(np.unique(labels[halves[0]])))
    name, fmr = _CHOSEN
    everybody = np.arange(len(labels))
    chosen = {
        told: outcome(rules[name], vectors[rows], labels[rows], thresholds[fmr], orders=5)
        for told, rows in (("other half", halves[1]), ("everybody", everybody))
    }
    counts = {
        "other half": (len(halves[1]), len(np.unique(labels[halves[1]]))),
        "everybody": (len(labels), len(np.unique(labels))),
    }
    cost, requests = measure_cost(scale), measure_requests(scale.requests)
    _print_chosen(chosen, counts, cost, requests)
    print_figures(
        "unknowns",
        {
            "compared": [
                {"rule": rule, "fmr": rate, **_as_figures(told)}
                for (rule, rate), told in compared.items()
            ],
            **{key.replace(" ", "_"): _as_figures(told) for key, told in chosen.items()},
            "milliseconds": {**cost, **requests},
        },
    )


def by_centroid(vectors: Vectors, threshold: float) -> Labels:
    """The service's rule: the mean direction of the newest faces of a group."""
    return _by_centroid(vectors, threshold, lambda _probe, _members: True)


def by_complete_link(floor: float) -> Rule:
    """Group by centroid, but only where no kept face of the group is less similar than `floor`."""

    def rule(vectors: Vectors, threshold: float) -> Labels:
        return _by_centroid(
            vectors, threshold, lambda probe, members: float((members @ probe).min()) >= floor
        )

    return rule


def by_best_member(vectors: Vectors, threshold: float) -> Labels:
    """The group of the most similar face."""
    labels = np.zeros(len(vectors), dtype=np.int64)
    groups = 0
    for place, probe in enumerate(vectors):
        similarities = vectors[:place] @ probe
        best = int(np.argmax(similarities)) if place else -1
        if best >= 0 and similarities[best] >= threshold:
            labels[place] = labels[best]
        else:
            labels[place] = groups
            groups += 1
    return labels


def _by_centroid(
    vectors: Vectors, threshold: float, allows: Callable[[Vectors, Vectors], bool]
) -> Labels:
    labels = np.zeros(len(vectors), dtype=np.int64)
    centroids = Centroids(vectors.shape[1])
    members: list[list[int]] = []
    for place, probe in enumerate(vectors):
        nearest = centroids.nearest(probe)
        joins = (
            nearest is not None
            and nearest[1] >= threshold
            and allows(probe, vectors[members[nearest[0]]])
        )
        if not joins or nearest is None:
            members.append([])
        group = nearest[0] if joins and nearest is not None else len(members) - 1
        members[group] = [*members[group], place][-_KEPT:]
        centroids.put(group, mean_direction(vectors[members[group]]))
        labels[place] = group
    return labels


def outcome(
    rule: Rule, vectors: Vectors, labels: Labels, threshold: float, *, orders: int
) -> Outcome:
    """See the photos in some random orders."""
    generator = np.random.default_rng(_SEED)
    scores, groupings = [], []
    for _ in range(orders):
        order = generator.permutation(len(vectors))
        groups = np.empty(len(vectors), dtype=np.int64)
        groups[order] = rule(vectors[order], threshold)
        scores.append(score(labels, groups))
        groupings.append(groups)
    bcubed = [one.bcubed_f for one in scores]
    return Outcome(
        Grouping(*np.mean([_values(one) for one in scores], axis=0).tolist()),
        min(bcubed),
        max(bcubed),
        float(np.mean([adjusted_rand_score(groupings[0], other) for other in groupings[1:]])),
    )


def score(labels: Labels, groups: Labels) -> Grouping:
    """Compare groups with the people that the photos show."""
    _, person = np.unique(labels, return_inverse=True)
    table = np.zeros((person.max() + 1, groups.max() + 1))
    np.add.at(table, (person, groups), 1)
    people, sizes = table.sum(axis=1), table.sum(axis=0)
    together = _pairs(table)
    bcubed_precision = float((table**2 / sizes).sum() / len(labels))
    bcubed_recall = float((table**2 / people[:, None]).sum() / len(labels))
    return Grouping(
        precision=together / max(1.0, _pairs(sizes)),
        recall=together / max(1.0, _pairs(people)),
        bcubed_f=2 * bcubed_precision * bcubed_recall / (bcubed_precision + bcubed_recall),
        nmi=float(normalized_mutual_info_score(person, groups)),
        groups=float((sizes > 0).sum()),
    )


def measure_cost(scale: Scale) -> dict[str, float]:
    """Milliseconds, medians, on SQLite with 10,000 groups; each face is a transaction."""
    vectors = unit_vectors(scale.groups + scale.timed, np.random.default_rng(_SEED))
    with tempfile.TemporaryDirectory() as folder, _inbox(Path(folder)) as (gallery, unknowns):
        off = _median_ms(
            lambda turn: unknowns.keep(DEFAULT_COLLECTION, [_sighting(vectors[turn])], 0.9),
            scale.timed,
        )
        changes = CollectionChanges(options={"unknowns": {"keep": True}})
        gallery.collections.update(DEFAULT_COLLECTION, changes)
        for start in range(0, scale.groups, 500):
            some = [_sighting(vector) for vector in vectors[start : min(start + 500, scale.groups)]]
            unknowns.keep(DEFAULT_COLLECTION, some, 0.9)
        new = iter(vectors[scale.groups :])
        begins = _median_ms(
            lambda _: unknowns.keep(DEFAULT_COLLECTION, [_sighting(next(new))], 0.9),
            scale.timed,
        )
        joins = _median_ms(
            lambda turn: unknowns.keep(DEFAULT_COLLECTION, [_sighting(vectors[turn])], 0.9),
            scale.timed,
        )
        return {
            "not_kept": off,
            "begins_a_group": begins,
            "joins_a_group": joins,
            "reads_all_centroids": _median_ms(
                lambda _: _cold(unknowns, vectors[0]), min(10, scale.timed)
            ),
        }


def measure_requests(count: int) -> dict[str, float]:
    """Milliseconds, medians, of `identify` and `search` by a collection that keeps unknown faces,
    keeps them with their crops, or keeps none."""
    photo = photos.encoded(photos.hopper())
    generator = np.random.default_rng(_SEED)
    taken: dict[str, list[float]] = {}
    collections = {
        "keeps": {"keep": True},
        "keeps_crops": {"keep": True, "crops": True},
        "keeps_not": {"keep": False},
    }
    key = b64encode(bytes(32)).decode()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), VULTUS_CROPS_KEY=key) as server,
    ):
        with httpx2.Client(base_url=f"{server.url}/v1", timeout=60) as client:
            for name, wanted in collections.items():
                client.post("/collections", json={"name": name}).raise_for_status()
                options = {"unknowns": wanted}
                client.patch(f"/collections/{name}", json={"options": options}).raise_for_status()
            for turn in range(count):
                for name in list(collections)[:: 1 if turn % 2 else -1]:
                    # Each SHA-256 stands for another photo.
                    file = {"image": ("face.jpg", photo + uuid4().bytes)}
                    vector = {"embedding": unit_vectors(1, generator)[0].tolist()}
                    for verb, body in (("identify", {"files": file}), ("search", {"json": vector})):
                        start = perf_counter()
                        client.post(f"/collections/{name}/{verb}", **body).raise_for_status()
                        taken.setdefault(f"{verb}_{name}", []).append(perf_counter() - start)
    return {name: float(np.median(seconds)) * 1_000 for name, seconds in sorted(taken.items())}


@contextmanager
def _inbox(folder: Path) -> Iterator[tuple[Gallery, Unknowns]]:
    with closing(Database(f"sqlite:///{folder / 'vultus.db'}", timeout_s=30)) as database:
        database.upgrade()
        gallery = Gallery(
            database, IndexSync(database, FaissIndex), ModelId("benchmark", "0" * 64, DIMENSION)
        )
        gallery.open()
        limits = InboxLimits(retention_s=1e6, faces=50_000, faces_a_group=_KEPT)
        yield gallery, Unknowns(database, gallery, limits)


def _cold(unknowns: Unknowns, vector: Vectors) -> None:
    """Time the first face after a start, or after a group was removed."""
    unknowns.forget_centroids()
    unknowns.keep(DEFAULT_COLLECTION, [_sighting(vector)], 0.9)


def _sighting(vector: Vectors) -> Sighting:
    return Sighting(vector, uuid4().hex * 2)


def _median_ms(work: Callable[[int], object], times: int) -> float:
    taken = []
    for turn in range(times):
        start = perf_counter()
        work(turn)
        taken.append(perf_counter() - start)
    return float(np.median(taken)) * 1_000


def _halves(labels: Labels) -> tuple[Labels, Labels]:
    """Rows of the photos of either half of the people."""
    people = np.random.default_rng(_SEED).permutation(labels.max() + 1)
    first = np.isin(labels, people[: len(people) // 2])
    return np.flatnonzero(first), np.flatnonzero(~first)


def _pairs(counts: NDArray[np.float64]) -> float:
    return float((counts * (counts - 1) / 2).sum())


def _values(grouping: Grouping) -> list[float]:
    return [float(getattr(grouping, field.name)) for field in fields(grouping)]


def _as_figures(told: Outcome) -> dict[str, float]:
    return {
        **{field.name: float(getattr(told.mean, field.name)) for field in fields(told.mean)},
        "least_bcubed_f": told.least_bcubed_f,
        "greatest_bcubed_f": told.greatest_bcubed_f,
        "rand_between_orders": told.rand_between_orders,
    }


def _print_compared(compared: dict[tuple[str, float], Outcome], people: int) -> None:
    table = Table(
        "rule", "threshold at FMR", "precision", "recall", "BCubed F", "NMI", "groups",
        title=f"{people} people, the half that was chosen with",
    )  # fmt: skip
    for (rule, fmr), told in compared.items():
        mean = told.mean
        table.add_row(
            rule, f"{fmr:g}", f"{mean.precision:.3f}", f"{mean.recall:.3f}",
            f"{mean.bcubed_f:.3f}", f"{mean.nmi:.3f}", f"{mean.groups:,.0f}",
        )  # fmt: skip
    console.print(table)


def _print_chosen(
    chosen: dict[str, Outcome],
    counts: dict[str, tuple[int, int]],
    cost: dict[str, float],
    requests: dict[str, float],
) -> None:
    for told, result in chosen.items():
        photos, people = counts[told]
        mean = result.mean
        spread = f"{result.least_bcubed_f:.3f} to {result.greatest_bcubed_f:.3f}"
        print_table(
            f"{_CHOSEN[0]} at FMR {_CHOSEN[1]:g}, {told}: {photos:,} photos of {people:,} people",
            [
                ("pairwise precision, recall", f"{mean.precision:.3f}, {mean.recall:.3f}"),
                ("BCubed F in five orders", f"{mean.bcubed_f:.3f} ({spread})"),
                ("adjusted Rand index of two orders", f"{result.rand_between_orders:.3f}"),
                ("NMI", f"{mean.nmi:.3f}"),
                ("groups", f"{mean.groups:,.0f}"),
            ],
        )
    print_table(
        "cost of a face in milliseconds, SQLite, 10,000 groups",
        [(name.replace("_", " "), f"{value:.2f}") for name, value in cost.items()],
    )
    print_table(
        "requests in milliseconds, SQLite",
        [(name.replace("_", " "), f"{value:.1f}") for name, value in requests.items()],
    )
