"""A command starts without what only other commands need."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.science.train_packages import TRAIN_PACKAGES
from tests.cases import case

ROOT = Path(__file__).parent.parent.parent
ONLY_TO_EVALUATE_OR_TRAIN = set(TRAIN_PACKAGES) - {
    "jinja2",
    "torch",
}  # PyTorch imports Jinja as well
PYTORCH = {"facenet_pytorch", "torch", "torchvision"}
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
    imported = _imported("import app.cli.serve.serve, app.main")
    assert "faiss" in imported
    assert not imported & (ONLY_TO_EVALUATE_OR_TRAIN | PYTORCH | OPTIONAL)


@pytest.mark.parametrize("module", ["app.cli.serve.top", "app.cli.serve.serve"])
def test_who_only_watches_over_servers_starts_without_networks_and_database(module: str) -> None:
    imported = _imported(f"import {module}")
    assert not imported & {"torch", "cv2", "faiss", "sqlalchemy", "fastapi"}


_WITHOUT = """
import importlib, pkgutil, sys

class Without:
    names = {names!r}

    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return None
        return self._finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
"""
"""An installation without these packages."""

_IMPORT_THE_SERVICE = """
import app
for found in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(found.name)
"""
_RUN = """
from app.cli import main
main()
"""


_RUN_EACH = """
from app.cli import main
for command in {commands!r}:
    sys.argv[1:] = command
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
"""
_START_A_SERVER = """
from app.main import create_server_app
create_server_app()
"""
_PRINT_IMPORTED = """
print("imported", *sys.modules)
"""


def _run_without_train_packages(
    *arguments: str, data: Path, first: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `vultus ARGUMENTS` after the code `first`."""
    code = _WITHOUT.format(names=ONLY_TO_EVALUATE_OR_TRAIN) + first + _RUN
    return _run(code, *arguments, data=data)


def _run(code: str, *arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run the code in a new process, with a data folder of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "VULTUS_DATA_DIR": str(data), "VULTUS_DEVICE": "auto"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_service_works_without_what_only_evaluates_and_trains(tmp_path: Path) -> None:
    """All of it can be imported, and its networks run."""
    photo = tmp_path / "eileen.jpg"
    photo.write_bytes(case("eileen.jpg"))
    done = _run_without_train_packages(
        "verify", str(photo), str(photo), data=tmp_path / "data", first=_IMPORT_THE_SERVICE
    )
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["match"]), done.stderr


def test_photos_are_recognised_without_pytorch(tmp_path: Path) -> None:
    """By the commands, and by a server, where only ONNX Runtime is installed."""
    path = tmp_path / "people" / "Eileen" / "eileen.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(case("eileen.jpg"))
    photo = str(path)
    commands = [
        ["enroll-folder", str(tmp_path / "people")],
        ["identify", photo],
        ["verify", photo, photo],
    ]
    hidden = PYTORCH | ONLY_TO_EVALUATE_OR_TRAIN | {"openvino"}
    code = _WITHOUT.format(names=hidden) + _RUN_EACH.format(commands=commands) + _START_A_SERVER
    done = _run(code, data=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    enrolled, identified = done.stdout.split("Eileen", 1)
    assert "match" in identified, (enrolled, identified)
    assert re.search(r"^match", identified, flags=re.MULTILINE)  # by verify


def test_what_is_installed_beside_onnx_runtime_is_not_imported(tmp_path: Path) -> None:
    """Which would cost a server on a CPU seconds and hundreds of megabytes."""
    settings = "import os, sys; os.environ['VULTUS_BACKEND'] = 'onnxruntime'\n"
    done = _run(settings + _START_A_SERVER + _PRINT_IMPORTED, data=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.splitlines()[-1].split())
    assert "onnxruntime" in imported
    assert not imported & (PYTORCH | ONLY_TO_EVALUATE_OR_TRAIN | {"openvino"})


def test_commands_name_the_extra_that_they_need(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    done = _run_without_train_packages("evaluate", str(folder), data=tmp_path / "data")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("startup_failed: vultus evaluate needs packages")
    assert "pip install 'vultus[report]'" in line
    assert "scipy" in line


def test_the_catalogue_is_read_without_networks_and_downloads() -> None:
    imported = _imported(
        "from app.cli.science.catalogue import catalogue\ncatalogue(name=None, as_json=True)"
    )
    assert not imported & {"torch", "numpy", "cv2", "sqlalchemy", "fastapi", "onnxruntime"}
