"""A benchmark is compared between commits, also with those where it was a module of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import compare_commits

BENCHMARK = """
import json, sys
print("a table", sys.argv[1:])
print(json.dumps({"benchmark": "speed", "figures": {"p50_ms": %d, "by_size": {"small": [1, 2]}}}))
"""
FAILS = "raise SystemExit('no model')"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose benchmarks are compared."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "--quiet")
    monkeypatch.setattr(compare_commits, "_ROOT", folder)
    return folder


def test_both_commits_run_as_often_and_leave_nothing_behind(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _commit(repository, "speed.py", BENCHMARK % 10)
    _commit(repository, "__main__.py", BENCHMARK % 12, removed="speed.py")
    _run(monkeypatch, before, "--turns", "2", "--", "speed", "--quick")
    printed = capsys.readouterr().out
    assert printed.count(f"speed of {before}") == 2
    figures = json.loads(printed.splitlines()[-1])["figures"]
    assert figures["p50_ms"] == {"before": [10, 10], "after": [12, 12], "ratio": 1.2}
    assert figures["by_size.small.1"] == {"before": [2, 2], "after": [2, 2], "ratio": 1}
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_a_benchmark_that_fails_ends_the_comparison_with_what_it_printed(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _commit(repository, "__main__.py", FAILS)
    with pytest.raises(SystemExit, match="status 1\nno model"):
        _run(monkeypatch, "HEAD", "--", "speed")
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("nowhere", "--", "speed"), "there is no commit 'nowhere'"), (("HEAD",), "after --")],
)
def test_a_comparison_that_cannot_be_made_says_why(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    error: str,
) -> None:
    _commit(repository, "__main__.py", BENCHMARK % 1)
    with pytest.raises(SystemExit) as ended:
        _run(monkeypatch, *arguments)
    assert error in str(ended.value) + capsys.readouterr().err


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["compare_commits", *arguments])
    compare_commits.main()


def _commit(repository: Path, name: str, text: str, *, removed: str | None = None) -> str:
    """The short name of a commit with this file among its benchmarks."""
    benchmarks = repository / "benchmarks"
    benchmarks.mkdir(exist_ok=True)
    (benchmarks / name).write_text(text, encoding="utf-8")
    if removed is not None:
        (benchmarks / removed).unlink()
    _git(repository, "add", "--all")
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    _git(repository, *who, "commit", "--quiet", "--message", "Add a benchmark")
    return _git(repository, "rev-parse", "--short", "HEAD").strip()


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
