"""Every benchmark runs: a command of the documentation cannot break without a test that fails."""

import json
import sys
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path

import pytest

import benchmarks
from tests.forked_vultus import ForkedVultus

_FOLDER = Path(benchmarks.__file__).parent
_PARTS = {"index_start", "peer_service"}
"""Programs that other benchmarks start."""

NAMES = sorted(
    path.stem
    for path in _FOLDER.glob("*.py")
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8") and path.stem not in _PARTS
)


def test_every_benchmark_is_documented() -> None:
    page = (_FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"benchmarks.{name}" not in page] == []


@pytest.mark.filterwarnings("default")  # what a benchmark warns of is no fault of the service
@pytest.mark.parametrize("name", NAMES)
def test_benchmark_runs_and_ends_with_its_figures(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    forkserver.ensure_running()  # before `benchmarks.crash` says what it should import
    monkeypatch.setattr(sys, "argv", [name, "--smoke"])
    monkeypatch.setattr("benchmarks.servers.start_vultus", ForkedVultus)
    if name == "workers":  # `crash` kills processes of a PostgreSQL, and starts one of its own
        url: str = request.getfixturevalue("postgres_server")
        monkeypatch.setenv("VULTUS_TEST_DATABASE_URL", url.replace("+psycopg", ""))
    interval = sys.getswitchinterval()
    try:
        import_module(f"benchmarks.{name}").main()
    finally:
        sys.setswitchinterval(interval)
    printed = capfd.readouterr().out.strip().splitlines()
    assert json.loads(printed[-1])["figures"]
