"""`vultus plan`: properties of its formulas, its outputs and bad input."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.upkeep import capacity_measured as measured
from app.cli.upkeep.capacity_plan import Load, plan, rebuild_s, search_cpu_s
from app.errors import InvalidRequest

RUN = CliRunner()
GROW = (
    "milvus_memory_bytes",
    "milvus_disk_bytes",
    "milvus_segments",
    "search_cpu_s",
    "rebuild_s",
    "sql_bytes",
    "log_bytes",
    "partitions",
    "vacuum_s",
)
COUNTS = st.floats(1, 1e9)
INDEXES = st.sampled_from(["flat", "hnsw"])


@given(faces=COUNTS, more=st.floats(1, 100), index=INDEXES)
def test_more_faces_never_need_less(faces: float, more: float, index: str) -> None:
    smaller = plan(Load(faces=faces, index=index))  # type: ignore[arg-type]
    larger = plan(Load(faces=faces * more, index=index))  # type: ignore[arg-type]
    for name in GROW:
        assert getattr(smaller, name) <= getattr(larger, name) * (1 + 1e-9), name
    assert smaller.milvus_machines <= larger.milvus_machines


@given(faces=COUNTS, searches=st.floats(0, 1e4), index=INDEXES)
def test_machines_suffice_for_memory_and_for_searches(
    faces: float, searches: float, index: str
) -> None:
    load = Load(faces=faces, searches_per_s=searches, index=index)  # type: ignore[arg-type]
    made = plan(load)
    if not made.index_in_memory:
        assert made.milvus_machines * load.memory_bytes > made.milvus_memory_bytes
        assert made.milvus_machines * load.cores > searches * made.search_cpu_s
    assert made.server_machines * load.memory_bytes > (
        made.server_processes * made.server_memory_bytes
    )


@given(faces=st.floats(1e6, 1e9), hits=st.floats(0, 1), index=INDEXES)
def test_first_stage_saves_what_ends_there_at_most(faces: float, hits: float, index: str) -> None:
    load = Load(faces=faces, staged_faces=1_000, staged_hits=hits, index=index)  # type: ignore[arg-type]
    assert 0 <= plan(load).staged_saving <= hits + 1e-9


def test_flat_search_takes_what_was_measured_at_a_million_faces() -> None:
    seconds = search_cpu_s(1_000_000, Load(faces=1_000_000))
    assert seconds == pytest.approx(0.0306 + measured.SEARCH_BASE_S, rel=0.01)


def test_ten_times_the_faces_take_ten_times_as_long_to_rebuild() -> None:
    assert rebuild_s(1e8) == pytest.approx(10 * rebuild_s(1e7))


def test_small_gallery_needs_no_milvus() -> None:
    made = plan(Load(faces=100_000))
    assert made.index_in_memory
    assert made.milvus_machines == 0


def test_copies_multiply_memory_and_machines() -> None:
    one = Load(faces=1e8, searches_per_s=0)
    assert plan(replace(one, copies=3)).milvus_machines == 3 * plan(one).milvus_machines


def test_what_is_needed_most_comes_first() -> None:
    first = plan(Load(faces=1e8, searches_per_s=200)).breaks_first[0]
    assert "cores for searches in Milvus" in first


@pytest.mark.parametrize(
    "bad",
    [
        {"faces": 0},
        {"faces": float("nan")},
        {"faces": float("inf")},
        {"faces": 10, "staged_faces": 11},
        {"faces": 10, "cores": 0},
        {"faces": 10, "searches_per_s": -1},
        {"faces": 10, "staged_hits": 1.5},
    ],
)
def test_what_no_gallery_has_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match="is not between"):
        Load(**bad)  # type: ignore[arg-type]


def test_command_prints_the_plan_and_as_json() -> None:
    command = ["plan", "--faces", "50e6", "--searches-per-s", "200"]
    printed = RUN.invoke(cli, command, catch_exceptions=False).stdout
    assert "50,000,000 faces" in printed
    answer = json.loads(RUN.invoke(cli, [*command, "--json"], catch_exceptions=False).stdout)
    assert answer["load"]["faces"] == 50e6
    assert (
        answer["plan"]["milvus_machines"]
        == plan(Load(faces=50e6, searches_per_s=200)).milvus_machines
    )


def test_command_says_which_value_cannot_be() -> None:
    refused = RUN.invoke(cli, ["plan", "--faces", "0"])
    assert isinstance(refused.exception, InvalidRequest)
    assert "faces: 0 is not between" in str(refused.exception)
