"""A command starts without what only other commands need."""

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("module", ["app.cli.top", "app.cli.serve"])
def test_who_only_watches_over_servers_starts_without_networks_and_database(module: str) -> None:
    imported = _imported(f"import {module}")
    assert not imported & {"torch", "cv2", "faiss", "sqlalchemy", "fastapi"}
