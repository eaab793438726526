"""From a gallery's size and load to machines, memory and disks. docs/scale.md explains each line.

Pure arithmetic on the constants of `capacity_measured`: nothing is opened, and nothing is read.
"""

from dataclasses import dataclass
from math import ceil, isfinite, log2
from typing import Literal

from app.cli.upkeep import capacity_measured as measured
from app.errors import InvalidRequest

_MEASURED_DIMENSION = 128
_BUSY = 0.6
"""Share of the cores that is planned for; the rest answers peaks and keeps waits short."""
_FILLED = 0.7
"""Share of memory that is planned for: Milvus loads nothing above 90 %."""
_MEMORY_UP_TO = 5_000_000
"""Faces up to which the index in memory was measured."""
_PARTITION_ABOVE = 100_000_000
"""Rows above which a vacuum, an index or a restore of one table takes hours."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is planned for. Raises InvalidRequest for what no gallery can have."""

    faces: float
    dimension: int = _MEASURED_DIMENSION
    faces_a_person: float = 2.0
    searches_per_s: float = 10.0
    writes_per_s: float = 1.0
    by_photo: bool = True
    """Whether a search brings a photo, which is recognised first."""
    index: Literal["flat", "hnsw"] = "flat"
    staged_faces: float = 0.0
    """Faces that the filter of a first stage leaves, such as a site's; 0 without one."""
    staged_hits: float = 0.8
    """Share of the searches that end there."""
    cores: int = 16
    """Of one machine."""
    memory_bytes: float = 64e9
    """Of one machine."""
    copies: int = 1
    """Copies of every segment in Milvus, each on machines of its own."""

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("faces", self.faces, 1, 1e11),
            ("dimension", self.dimension, 1, 32_768),
            ("faces a person", self.faces_a_person, 1, 10_000),
            ("searches a second", self.searches_per_s, 0, 1e7),
            ("writes a second", self.writes_per_s, 0, 1e7),
            ("faces of the first stage", self.staged_faces, 0, self.faces),
            ("share of the first stage", self.staged_hits, 0, 1),
            ("cores of a machine", self.cores, 1, 4_096),
            ("bytes of memory of a machine", self.memory_bytes, 4e9, 1e14),
            ("copies", self.copies, 1, 100),
        ):
            if not (isfinite(value) and least <= value <= most):
                raise InvalidRequest(f"{name}: {value:g} is not between {least:g} and {most:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Bytes, seconds and machines."""

    index_in_memory: bool
    """Whether each process can hold all faces, so that Milvus is not needed."""
    milvus_machines: int
    milvus_machines_for_memory: int
    milvus_machines_for_searches: int
    milvus_memory_bytes: float
    milvus_disk_bytes: float
    milvus_segments: int
    search_cpu_s: float
    """CPU time of Milvus for a search, with its stages on average."""
    search_idle_s: float
    """Time of a search of all faces while nothing else runs."""
    staged_saving: float
    """Share of Milvus's CPU time that the first stage saves."""
    rebuild_s: float
    graph_build_s: float
    server_machines: int
    server_processes: int
    server_memory_bytes: float
    """Of each process."""
    sql_bytes: float
    log_bytes: float
    partitions: int
    replicas: int
    vacuum_s: float
    write_share: float
    """Of the writes that one collection takes."""
    breaks_first: list[str]
    """What is needed, in machines or parts of them: the largest number first."""


def plan(load: Load) -> Plan:
    """Calculate the machines for a load."""
    vector = 4 * load.dimension
    in_memory = load.faces <= _MEMORY_UP_TO and _process_bytes(load) <= _usable(load) / 2
    cpu = search_cpu_s(load.faces, load)
    staged = _staged_cpu_s(load, cpu)
    sql = load.faces * (measured.FACE_ROW_BYTES + vector)
    sql += load.faces / load.faces_a_person * measured.PERSON_ROW_BYTES
    log = min(load.faces, measured.LOG_REVISIONS) * measured.LOG_BYTES_A_CHANGE
    memory = milvus_memory_bytes(load)
    for_memory = load.copies * ceil(memory / _usable(load))
    for_searches = ceil(load.searches_per_s * staged / (load.cores * _BUSY))
    needed = max(for_memory, for_searches, load.copies)
    processes = max(ceil(load.searches_per_s * _request_cpu_s(load) / _BUSY), 1)
    process = _process_bytes(load) if in_memory else measured.PROCESS_BYTES
    build = load.faces * _graph_build_s(load)
    return Plan(
        index_in_memory=in_memory,
        milvus_machines=0 if in_memory else needed,
        milvus_machines_for_memory=for_memory,
        milvus_machines_for_searches=for_searches,
        milvus_memory_bytes=load.copies * memory,
        milvus_disk_bytes=load.faces * vector * measured.MILVUS_DISK_FACTOR,
        milvus_segments=segments(load),
        search_cpu_s=staged,
        search_idle_s=_idle_s(load, cpu, needed // load.copies),
        staged_saving=max(1 - staged / cpu, 0.0),
        rebuild_s=rebuild_s(load.faces),
        graph_build_s=build / (needed * load.cores),
        server_machines=max(
            ceil(processes / load.cores), ceil(processes * process / _usable(load))
        ),
        server_processes=processes,
        server_memory_bytes=process,
        sql_bytes=sql,
        log_bytes=log,
        partitions=_partitions(load.faces),
        replicas=0 if in_memory else 1,
        vacuum_s=sql / measured.VACUUM_BYTES_A_S,
        write_share=load.writes_per_s / measured.WRITES_A_S,
        breaks_first=_breaks_first(load, memory, staged, sql),
    )


def search_cpu_s(faces: float, load: Load) -> float:
    """CPU time of Milvus for a search of so many faces.

    `flat` reads every vector. `hnsw` follows a graph in each segment: in one, the time grows with
    the logarithm of its faces (Malkov and Yashunin, 2018), and beyond one with their number.
    """
    if load.index == "flat":
        return measured.SEARCH_BASE_S + faces * 4 * load.dimension / measured.SCAN_BYTES_A_S
    full = measured.SEGMENT_BYTES / (4 * load.dimension)
    depth = log2(min(faces, full) + 2) / log2(full + 2)
    scale = load.dimension / _MEASURED_DIMENSION
    count = max(faces / full, 1.0)
    return measured.SEARCH_BASE_S + count * measured.GRAPH_SEGMENT_S * depth * scale


def milvus_memory_bytes(load: Load) -> float:
    """Memory of one copy of all faces."""
    links = measured.GRAPH_BYTES_A_FACE if load.index == "hnsw" else 0
    face = 4 * load.dimension * measured.MILVUS_MEMORY_FACTOR + links
    return measured.MILVUS_BASE_BYTES + load.faces * face


def segments(load: Load) -> int:
    """Full segments that hold the faces; each is searched by one core at a time."""
    return ceil(load.faces * 4 * load.dimension / measured.SEGMENT_BYTES)


def rebuild_s(faces: float) -> float:
    """Time of `vultus index rebuild`: a piece is read from SQL, then sent."""
    return faces / measured.SQL_READ_FACES_A_S + faces / measured.FILL_FACES_A_S


def _graph_build_s(load: Load) -> float:
    if load.index == "flat":
        return 0.0
    return measured.GRAPH_BUILD_S_A_FACE * load.dimension / _MEASURED_DIMENSION


def _staged_cpu_s(load: Load, all_faces_s: float) -> float:
    """Each search names the faces of the first stage; those that do not end there, search all."""
    if load.staged_faces <= 0:
        return all_faces_s
    requests = ceil(load.staged_faces / measured.NAMED_AT_ONCE)
    first = requests * measured.SEARCH_BASE_S + load.staged_faces * measured.NAMED_FACE_S
    return first + (1 - load.staged_hits) * all_faces_s


def _idle_s(load: Load, cpu_s: float, machines: int) -> float:
    beside = max(1, min(machines * load.cores, segments(load)))
    return measured.SEARCH_BASE_S + (cpu_s - measured.SEARCH_BASE_S) / beside


def _request_cpu_s(load: Load) -> float:
    return measured.IDENTIFY_CPU_S if load.by_photo else measured.EMBEDDING_CPU_S


def _process_bytes(load: Load) -> float:
    """A server process that holds all faces in its own memory."""
    scale = load.dimension / _MEASURED_DIMENSION
    return measured.PROCESS_BYTES + load.faces * measured.MEMORY_INDEX_BYTES_A_FACE * scale


def _usable(load: Load) -> float:
    return load.memory_bytes * _FILLED


def _partitions(faces: float) -> int:
    """A power of two of tables, none with more rows than one table is planned to have."""
    return 1 if faces <= _PARTITION_ABOVE else 2 ** ceil(log2(faces / _PARTITION_ABOVE))


def _breaks_first(load: Load, memory: float, search_s: float, sql: float) -> list[str]:
    cores = load.cores * _BUSY
    needed = {
        "machines' memory for one copy in Milvus": memory / _usable(load),
        "machines' cores for searches in Milvus": load.searches_per_s * search_s / cores,
        "machines' cores for the servers": load.searches_per_s * _request_cpu_s(load) / cores,
        "machines' memory to cache the tables of PostgreSQL": sql / _usable(load),
        "collections' rate of writes": load.writes_per_s / measured.WRITES_A_S,
        "days of a rebuild": rebuild_s(load.faces) / _DAY_S,
    }
    ordered = sorted(needed.items(), key=lambda item: -item[1])
    return [f"{amount:.2g} {name}" for name, amount in ordered]
