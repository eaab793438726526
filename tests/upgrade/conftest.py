"""The detector and the runtime of version 0.1.0, so that its similarities can be compared."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of commands and services, without files."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("VULTUS_DATA_DIR", str(folder))
    monkeypatch.setenv("VULTUS_DEVICE", "cpu")
    monkeypatch.setenv("VULTUS_EXACT_SIMILARITIES", "true")  # as version 0.1.0 answered them
    return folder


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """MTCNN and ONNX Runtime, which version 0.1.0 ran by default."""
    monkeypatch.setenv("VULTUS_DETECTOR__NAME", "mtcnn")
    monkeypatch.setenv("VULTUS_BACKEND", "onnxruntime")
