"""What every command of a test runs in: its own data folder, the CPU, and its own umask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    umask = os.umask(0o022)
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VULTUS_DEVICE", "cpu")
    yield
    os.umask(umask)  # which the commands narrow
