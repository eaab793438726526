"""Networks run in the backend that the settings name, or in the fastest that is there."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from app.errors import StartupError
from app.recognition.build import backend_of, load_configured_network
from app.settings import Settings
from models.zoo import backends

_ON_CPU = Settings(device="cpu")


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object | None:
        return None if name == "onnxruntime" else object()

    finder: Callable[[str], object | None] = find
    monkeypatch.setattr(backends, "find_spec", finder)


@pytest.mark.parametrize(
    ("backend", "runtime"),
    [("auto", "onnxruntime"), ("onnxruntime", "onnxruntime"), ("torch", "torch")],
)
def test_the_embedder_runs_in_the_backend_that_was_chosen(backend: str, runtime: str) -> None:
    settings = Settings(device="cpu", backend=backend)
    assert load_configured_network(settings).runtime == runtime


def test_on_a_gpu_pytorch_runs_the_networks() -> None:
    assert backend_of(_ON_CPU, "cuda") == "torch"
    wanted = Settings(device="cpu", backend="onnxruntime")
    with pytest.raises(StartupError, match="VULTUS_BACKEND=onnxruntime is for VULTUS_DEVICE=cpu"):
        backend_of(wanted, "cuda")


@pytest.mark.usefixtures("without_onnx")
def test_without_the_package_auto_is_slower_and_says_so() -> None:
    with capture_logs() as logs:
        assert backend_of(_ON_CPU, "cpu") == "torch"
    assert logs[0]["missing"] == ("onnxruntime",)
    assert "pip install 'vultus[onnx]'" in logs[0]["remedy"]


@pytest.mark.usefixtures("without_onnx")
def test_a_missing_package_that_was_asked_for_ends_the_start() -> None:
    wanted = Settings(device="cpu", backend="onnxruntime")
    with pytest.raises(StartupError, match=r"onnxruntime: pip install 'vultus\[onnx\]'"):
        backend_of(wanted, "cpu")
