"""Networks run in the backend that the settings name, or in the fastest that is there."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.errors import PackagesMissing, SettingUnusable, StartupError
from app.recognition.build import backend_of, embedder_backend, load_configured_network
from app.settings import Settings
from models.zoo.registry import LoadOptions, load_network
from models.zoo.serving import backends
from models.zoo.serving.backends import Backend, choose_backend
from models.zoo.serving.openvino_session import OpenVinoSession, computes_bfloat16

_ON_CPU = Settings(device="cpu")


def _hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    def find(name: str) -> object | None:
        return None if name == package else object()

    monkeypatch.setattr(backends, "find_spec", find)


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "onnxruntime")


@pytest.mark.parametrize("backend", ["torch", "onnxruntime", "openvino"])
def test_the_embedder_runs_in_the_backend_that_was_chosen(backend: Backend) -> None:
    settings = Settings(device="cpu", backend=backend)
    assert load_configured_network(settings).runtime == backend


@pytest.mark.parametrize("half", [True, False])
def test_auto_is_what_is_fastest_for_the_network(half: bool, tmp_path: Path) -> None:
    options = LoadOptions("cpu", half, weights_dir=tmp_path, backend="auto")
    has_bfloat16 = half and computes_bfloat16()
    sface, dlib = (load_network(name, options) for name in ("sface", "dlib-resnet"))
    assert sface.runtime == "openvino"
    assert dlib.runtime == ("openvino" if has_bfloat16 else "onnxruntime")
    assert sface.precision == ("bfloat16" if has_bfloat16 else "float32")


def test_a_backend_is_the_wanted_one_else_the_fastest_that_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose_backend("onnxruntime", ("openvino", "onnxruntime", "torch")) == "onnxruntime"
    assert choose_backend("openvino", ("onnxruntime", "torch")) == "onnxruntime"
    assert choose_backend("auto", ("openvino", "onnxruntime", "torch")) == "openvino"
    _hide(monkeypatch, "openvino")
    assert choose_backend("auto", ("openvino", "onnxruntime", "torch")) == "onnxruntime"
    _hide(monkeypatch, "onnx")  # which both need
    assert choose_backend("auto", ("openvino", "onnxruntime", "torch")) == "torch"
    assert choose_backend("auto", ("openvino", "onnxruntime")) == "onnxruntime"


def test_a_runtime_that_does_not_work_here_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("this processor lacks SSE4.2")

    monkeypatch.setattr(OpenVinoSession, "_compile", fail)
    # Seven threads, as in no other test, whose network would be taken.
    settings = Settings(device="cpu", embedder="sface", backend="openvino", threads=7)
    with pytest.raises(SettingUnusable, match=r"cannot run sface .*lacks SSE4\.2") as caught:
        load_configured_network(settings)
    assert caught.value.setting == "VULTUS_BACKEND"


def test_on_a_gpu_pytorch_runs_the_networks() -> None:
    assert backend_of(_ON_CPU, "cuda") == "torch"
    for wanted in ("onnxruntime", "openvino"):
        with pytest.raises(StartupError, match=f"VULTUS_BACKEND={wanted} is for VULTUS_DEVICE=cpu"):
            embedder_backend(Settings(device="cpu", backend=wanted), "cuda")


@pytest.mark.usefixtures("without_onnx")
def test_without_the_package_auto_is_slower_and_says_so() -> None:
    with capture_logs() as logs:
        assert backend_of(_ON_CPU, "cpu") == "torch"
    assert logs[0]["missing"] == ("onnxruntime",)
    assert "pip install 'vultus[onnx]'" in logs[0]["remedy"]


@pytest.mark.usefixtures("without_onnx")
def test_a_missing_package_that_was_asked_for_ends_the_start() -> None:
    wanted = Settings(device="cpu", backend="onnxruntime")
    with pytest.raises(PackagesMissing, match="onnxruntime") as caught:
        backend_of(wanted, "cpu")
    assert caught.value.extra == "onnx"
