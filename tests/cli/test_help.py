"""Help, completion and mistyped commands cost little, and help texts are whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app import __version__
from app.cli.main import cli

ROOT = Path(__file__).parent.parent.parent
HEAVY = {
    *("torch", "numpy", "sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "faiss"),
    *("pydantic_settings", "cv2", "PIL", "onnxruntime", "structlog"),
}

_ALL_HELP = """
import json, sys
from typer.main import get_command
from typer.testing import CliRunner
from app.cli.main import cli

def paths(command, path=()):
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from paths(below, (*path, name))

run = CliRunner().invoke
known = [*paths(get_command(cli))]
asked = [[*path, "--help"] for path in known]
asked += [[], ["--version"], ["enrol-folder"], ["identify", "--colection", "x"], ["gallery", "x"]]
answers = [(words, done.exit_code, done.output) for words in asked for done in [run(cli, words)]]
print(json.dumps([answers, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def answers() -> tuple[list[tuple[list[str], int, str]], set[str]]:
    """What each command's help and some mistyped commands print, and what they have imported."""
    done = subprocess.run(
        [sys.executable, "-c", _ALL_HELP],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found, modules = json.loads(done.stdout)
    return [tuple(answer) for answer in found], set(modules)


Answers = tuple[list[tuple[list[str], int, str]], set[str]]


def test_help_and_mistyped_commands_import_nothing_heavy(answers: Answers) -> None:
    _, modules = answers
    assert "app.cli.commands.people_commands" in modules
    assert modules & HEAVY == set()


def test_every_command_has_a_help_text_that_is_whole(answers: Answers) -> None:
    found = [(words, output) for words, status, output in answers[0] if words[-1:] == ["--help"]]
    assert len(found) > 20
    for words, output in found:
        assert "…" not in output, words
        assert "Usage: vultus" in output
        described = output.split("\n\n")[0].split("Usage:")[1]
        assert described, words
        assert all(len(line) <= 80 for line in output.splitlines())
    assert {status for words, status, _ in answers[0] if words[-1:] == ["--help"]} == {0}


def _options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str | None]]:
    """Every option and argument of the commands below, with its help text."""
    for param in command.params:
        yield " ".join((*path, param.name)), getattr(param, "help", None)
    for name, below in getattr(command, "commands", {}).items():
        yield from _options(below, (*path, name))


def test_every_option_has_a_help_text() -> None:
    texts = dict(_options(get_command(cli)))
    assert len(texts) > 100
    assert [name for name, text in texts.items() if not text] == []


def test_commands_are_listed_in_panels_without_arguments_too(answers: Answers) -> None:
    by_words = {tuple(words): output for words, _, output in answers[0]}
    for panel in ("Run the service", "Enroll and recognise people", "Measure accuracy"):
        assert panel in by_words["--help",]
        assert panel in by_words[()]


def test_a_mistyped_command_or_option_names_the_one_that_was_meant(answers: Answers) -> None:
    by_words = {tuple(words): (status, output) for words, status, output in answers[0]}
    status, output = by_words["enrol-folder",]
    assert (status, "enroll-folder" in output) == (2, True)
    status, output = by_words["identify", "--colection", "x"]
    assert (status, "--collection" in output) == (2, True)


def test_version_is_printed(answers: Answers) -> None:
    by_words = {tuple(words): (status, output) for words, status, output in answers[0]}
    assert by_words["--version",] == (0, f"vultus {__version__}\n")


def test_completion_of_a_command_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\nsys.argv = ['vultus']\nfrom app.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    completion: dict[str, Any] = {
        "_VULTUS_COMPLETE": "complete_bash",
        "COMP_WORDS": "vultus enr",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **completion},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split() == ["enroll-folder", "enroll-batch"]
    assert set(json.loads(done.stderr.splitlines()[-1])) & HEAVY == set()
