"""A command starts without what only other commands need."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import _COMMANDS, cli

ROOT = Path(__file__).parent.parent.parent
ONLY_TO_EVALUATE_OR_TRAIN = {"matplotlib", "pytorch_metric_learning", "scipy", "sklearn"}
SLOW_PARTS_OF_PYTORCH = {"facenet_pytorch", "torch._dynamo", "torchvision"}
OPTIONAL = {"opentelemetry.sdk", "pymilvus"}


def _imported(code: str) -> set[str]:
    """Modules that a new process has imported after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, sep='\\n')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return set(done.stdout.splitlines())


def test_server_starts_without_evaluation_training_and_what_was_not_asked_for() -> None:
    imported = _imported("import app.cli.serve, app.main")
    assert "torch" in imported
    assert not imported & (ONLY_TO_EVALUATE_OR_TRAIN | SLOW_PARTS_OF_PYTORCH | OPTIONAL)


@pytest.mark.parametrize("command", ["top", "serve"])
def test_who_only_watches_over_servers_starts_without_networks_and_database(command: str) -> None:
    imported = _imported(f"from app.cli.main import _imported\n_imported({command!r})")
    assert f"app.cli.{command}" in imported
    assert not imported & {"torch", "cv2", "faiss", "sqlalchemy", "fastapi"}


def test_help_lists_all_commands_and_each_has_its_own() -> None:
    run = CliRunner()
    listed = run.invoke(cli, ["--help"]).output
    for name in _COMMANDS:
        assert f" {name} " in listed
        assert run.invoke(cli, [name, "--help"]).exit_code == 0


def test_typo_is_told_with_the_command_that_was_meant() -> None:
    refused = CliRunner().invoke(cli, ["enrol-folder"])
    assert refused.exit_code == 2
    assert "enroll-folder" in refused.output
