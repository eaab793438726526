"""Speed, exactness, memory, changes and starts of the search index, beside its peers.

Synthetic unit vectors (see index_data.py); every search uses one thread and asks for 32 faces.
Engines answer the same probes in turns of a few, in one process.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from app.gallery.index.faiss_index import FaissIndex
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.own_process import in_own_process
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.speed.index_data import THRESHOLD, Probes, Vectors, faces, probes
from benchmarks.speed.index_peers import (
    COUNT,
    Peer,
    flat,
    knn,
    memory_read,
    pgvector_hnsw,
    rss_bytes,
    usearch_hnsw,
)
from benchmarks.speed.index_start import fill, start

_TURN = 25  # probes that an engine answers before it is the next one's turn
_SINGLE_ADDS = 20_000
_REMOVALS = 2_000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MAIN = (1_000_000, 128)

Answers = list[tuple[int, float]]


def main() -> None:
    options = _parse()
    print_machine()
    os.environ |= dict.fromkeys(_THREADS, "1")  # of the processes below
    cases = {}
    for count in options.sizes:
        for dimension in options.dimensions:
            if count * dimension > options.max_floats:
                console.print(f"{count} x {dimension}: passed over (--max-floats)")
                continue
            figures = in_own_process(_case, count, dimension, options)
            cases[f"{count}x{dimension}"] = figures
            print_table(
                f"{count:,} faces, d = {dimension}",
                [(name, f"{value:,.4g}") for name, value in figures.items()],
            )
    wanted = f"{_MAIN[0]}x{_MAIN[1]}"
    print_figures("index", {**cases.get(wanted, next(iter(cases.values()))), "cases": cases})


def _parse() -> argparse.Namespace:
    parser = benchmark_parser(__doc__, quick="up to 100,000 faces, without peers")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--probes", type=int, default=400)
    parser.add_argument(
        "--peers-up-to", type=int, default=100_000, help="faces up to which HNSW is built"
    )
    parser.add_argument(
        "--start-up-to", type=int, default=128_000_000, help="floats up to which starts are timed"
    )
    parser.add_argument(
        "--max-floats", type=int, default=600_000_000, help="of a case; larger ones are passed over"
    )
    options = parse_options(parser)
    if options.quick:
        options.sizes, options.peers_up_to = [10_000, 100_000], 0
    if options.smoke:
        options.sizes, options.dimensions, options.probes = [3_000], [16], 50
    return options


def _case(count: int, dimension: int, options: argparse.Namespace) -> dict[str, float]:
    faiss.omp_set_num_threads(1)
    figures: dict[str, float] = {}
    index = _build(count, dimension, figures)
    asked = probes(options.probes, count, dimension)
    reference, rows = flat(count, dimension)
    with ExitStack() as stack:
        engines = [reference, knn(rows), memory_read(rows), _ours(index)]
        if count <= options.peers_up_to:
            engines += [usearch_hnsw(rows), stack.enter_context(pgvector_hnsw(rows))]
        answers, seconds = _in_turns(engines, asked.vectors)
    for engine in engines:
        key = _KEYS[engine.name]
        figures[f"{key}_p50_ms"] = 1e3 * float(np.median(seconds[engine.name]))
        figures[f"{key}_p99_ms"] = 1e3 * float(np.quantile(seconds[engine.name], 0.99))
        if engine.name.endswith("HNSW"):
            figures[f"{key}_build_s"] = engine.build_s
            figures[f"{key}_bytes_per_face"] = engine.bytes_per_face
    for engine in engines:
        if engine is not reference and engine.name != "memory read":
            prefix = "" if engine.name == "vultus" else f"{_KEYS[engine.name]}_"
            figures |= _agreement(answers[engine.name], answers[reference.name], asked, prefix)
    figures["flat_over_search"] = figures["flat_p50_ms"] / figures["search_p50_ms"]
    figures |= _batch(index, asked.vectors)
    figures |= _among(index, count, asked.vectors)
    del reference, rows, engines
    figures |= _changes(index, count, dimension)
    index.close()
    if count * dimension <= options.start_up_to:
        figures |= _starts(count, dimension)
    return figures


_KEYS = {
    "IndexFlatIP": "flat",
    "faiss.knn": "knn",
    "memory read": "memory_read",
    "vultus": "search",
    "usearch HNSW": "usearch",
    "pgvector HNSW": "pgvector",
}


def _build(count: int, dimension: int, figures: dict[str, float]) -> FaissIndex:
    before = rss_bytes()
    index = FaissIndex(dimension)
    spent, number = 0.0, 0
    for piece in faces(count, dimension):
        numbers = np.arange(number, number + len(piece))
        started = perf_counter()
        index.add(numbers, piece)
        spent += perf_counter() - started
        number += len(piece)
    del piece, numbers  # they are not part of the index's memory
    started = perf_counter()
    index.settle()
    figures["add_all_s"] = spent
    figures["encode_s"] = perf_counter() - started
    figures["bytes_per_face"] = (rss_bytes() - before) / count
    return index


def _ours(index: FaissIndex) -> Peer:
    def search(probe: Vectors) -> tuple[int, float]:
        (hits,) = index.search(probe, COUNT)
        return int(hits.numbers[0]), float(hits.similarities[0])

    return Peer("vultus", search, 0.0, 0.0)


def _in_turns(
    engines: list[Peer], vectors: Vectors
) -> tuple[dict[str, Answers], dict[str, list[float]]]:
    answers: dict[str, Answers] = {engine.name: [] for engine in engines}
    seconds: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for engine in engines:
        engine.search(vectors[:1])
    for first in range(0, len(vectors), _TURN):
        for engine in engines:
            for probe in _rows(vectors[first : first + _TURN]):
                started = perf_counter()
                answer = engine.search(probe)
                seconds[engine.name].append(perf_counter() - started)
                answers[engine.name].append(answer)
    return answers, seconds


def _rows(vectors: Vectors) -> Iterator[Vectors]:
    return (vectors[row : row + 1] for row in range(len(vectors)))


def _agreement(found: Answers, exact: Answers, asked: Probes, prefix: str) -> dict[str, float]:
    """Known top-1: the same nearest face for known probes. Decision: the same face or unknown."""
    same = np.array([a[0] == b[0] for a, b in zip(found, exact, strict=True)])
    decided = [_decide(a) == _decide(b) for a, b in zip(found, exact, strict=True)]
    return {
        f"{prefix}known_top1": float(same[asked.known].mean()),
        f"{prefix}decision_agreement": float(np.mean(decided)),
    }


def _decide(answer: tuple[int, float]) -> int | None:
    return answer[0] if answer[1] >= THRESHOLD else None


def _batch(index: FaissIndex, vectors: Vectors) -> dict[str, float]:
    """A photo of 64 faces: milliseconds for all of them."""
    return {"batch64_ms": 1e3 * _median(lambda: index.search(vectors[:64], COUNT), 5)}


def _among(index: FaissIndex, count: int, vectors: Vectors) -> dict[str, float]:
    """A search among one face in a hundred, at random."""
    some = np.random.default_rng(5).choice(count, size=count // 100, replace=False)
    numbers: NDArray[np.int64] = some.astype(np.int64)
    return {"among_1pct_ms": 1e3 * _median(lambda: index.search_among(vectors[:1], numbers, COUNT))}


def _median(task: object, times: int = 20) -> float:
    assert callable(task)
    spent = []
    for _ in range(times):
        started = perf_counter()
        task()
        spent.append(perf_counter() - started)
    return float(np.median(spent))


def _changes(index: FaissIndex, count: int, dimension: int) -> dict[str, float]:
    rows = next(faces(_SINGLE_ADDS, dimension, seed=9))
    rows = np.resize(rows, (_SINGLE_ADDS, dimension))
    adds = []
    for row in range(_SINGLE_ADDS):
        number = np.array([count + row])
        started = perf_counter()
        index.add(number, rows[row : row + 1])
        adds.append(perf_counter() - started)
    index.settle()
    gone = np.random.default_rng(6).choice(count, size=_REMOVALS, replace=False)
    removals = []
    for number in gone.astype(np.int64)[:, None]:
        started = perf_counter()
        index.remove(number)
        removals.append(perf_counter() - started)
    return {
        "add_us": 1e6 * float(np.median(adds)),
        "add_max_ms": 1e3 * max(adds),
        "remove_us": 1e6 * float(np.median(removals)),
        "remove_max_ms": 1e3 * max(removals),
    }


def _starts(count: int, dimension: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="vultus-index-") as folder:
        fill(Path(folder), count, dimension)
        from_sql, from_snapshot = (in_own_process(start, Path(folder)) for _ in range(2))
    assert from_sql.faces == from_snapshot.faces == count
    return {
        "start_sql_s": from_sql.load_s,
        "start_snapshot_s": from_snapshot.load_s,
        "snapshot_write_s": from_sql.save_s,
        "bytes_per_face_after_start": from_snapshot.bytes_per_face,
    }
