"""Every benchmark runs: a command of the documentation cannot break without a test that fails."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path

import pytest

from benchmarks.__main__ import benchmarks, module_of
from tests.kit.forked_vultus import ForkedVultus
from tests.kit.milvus_server import WITHOUT_MILVUS

ROOT = Path(__file__).parents[2]
BENCHMARKS = benchmarks()


def test_every_benchmark_is_documented() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [name for name in BENCHMARKS if f"benchmarks {name}" not in page] == []


@pytest.mark.filterwarnings("default")  # warnings of a benchmark are no fault of the service
@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_runs_and_ends_with_its_figures(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    if name == "milvus" and WITHOUT_MILVUS is not None:
        pytest.skip(WITHOUT_MILVUS)
    forkserver.ensure_running()  # before a benchmark says what it should import
    main: Callable[[], None] = import_module(module_of(BENCHMARKS[name])).main
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit):
        main()
    assert "--quick" in capfd.readouterr().out
    monkeypatch.setattr(sys, "argv", [name, "--smoke"])
    monkeypatch.setattr("benchmarks.kit.servers.start_vultus", ForkedVultus)
    if name in ("crash", "workers"):  # they would start a PostgreSQL of their own
        url: str = request.getfixturevalue("postgres_server")
        monkeypatch.setenv("VULTUS_TEST_DATABASE_URL", url.replace("+psycopg", ""))
    interval = sys.getswitchinterval()
    try:
        main()
    finally:
        sys.setswitchinterval(interval)
    printed = capfd.readouterr().out.strip().splitlines()
    assert json.loads(printed[-1])["figures"]
