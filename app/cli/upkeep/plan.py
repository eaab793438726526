"""`vultus plan`. It opens no database and loads no network."""

from dataclasses import asdict

from app.cli.output import print_line, show
from app.cli.upkeep.capacity_plan import Load, Plan, plan


def print_plan(load: Load, *, as_json: bool) -> None:
    """Calculate the machines for a load and print them."""
    made = plan(load)
    if as_json:
        show({"load": asdict(load), "plan": asdict(made)}, as_json=True)
        return
    for line in _lines(load, made):
        print_line(line)


def _lines(load: Load, made: Plan) -> list[str]:
    return [
        (
            f"Gallery: {load.faces:,.0f} faces of {load.dimension} dimensions, "
            f"{load.searches_per_s:g} searches and {load.writes_per_s:g} writes a second"
        ),
        f"Machine: {load.cores} cores, {_size(load.memory_bytes)} of memory",
        *_index(load, made),
        (
            f"Servers: {_count(made.server_processes, 'process', 'processes')} of "
            f"{_size(made.server_memory_bytes)} on {_machines(made.server_machines)}"
        ),
        (
            f"PostgreSQL: {_size(made.sql_bytes)} and {_size(made.log_bytes)} of change log, "
            f"{_count(made.partitions, 'partition')}, {_count(made.replicas, 'replica')}; "
            f"a vacuum that reads all takes {_time(made.vacuum_s)}; "
            f"{100 * made.write_share:,.0f} % of the writes of one collection"
        ),
        "What is needed, most first; above 1, one machine does not suffice:",
        *(f"  {one}" for one in made.breaks_first),
        "Formulas and measurements: docs/scale.md",
    ]


def _index(load: Load, made: Plan) -> list[str]:
    if made.index_in_memory:
        return ["Index: in memory of each process; Milvus is not needed"]
    lines = [
        (
            f"Milvus: {_machines(made.milvus_machines)} "
            f"({made.milvus_machines_for_memory} for memory, "
            f"{made.milvus_machines_for_searches} for searches), index {load.index}, "
            f"{_size(made.milvus_memory_bytes)} of memory, "
            f"{_size(made.milvus_disk_bytes)} of disk, "
            f"{_count(made.milvus_segments, 'segment')}"
        ),
        (
            f"Search in Milvus: {1e3 * made.search_cpu_s:,.1f} ms of CPU; of all faces "
            f"{1e3 * made.search_idle_s:,.1f} ms while nothing else runs"
        ),
        f"Rebuild: {_time(made.rebuild_s)}",
    ]
    if made.graph_build_s:
        lines[-1] += f", then {_time(made.graph_build_s)} until the graphs are built"
    if load.staged_faces:
        lines.append(f"First stage: saves {100 * made.staged_saving:.0f} % of Milvus's CPU time")
    return lines


def _machines(count: int) -> str:
    return _count(count, "machine")


def _count(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1_000:
            return f"{count:.3g} {unit}"
        count /= 1_000
    return f"{count:,.0f} PB"


def _time(seconds: float) -> str:
    for name, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s"
