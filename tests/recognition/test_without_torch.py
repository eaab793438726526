"""Where PyTorch is not installed, what needs it says so, and the rest works."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.errors import PackagesMissing, StartupError
from app.recognition import device
from app.recognition.accelerators import may_have_accelerator
from app.recognition.build import build_detector, embedder_backend, load_configured_network
from app.recognition.device import resolve_device
from app.settings import DetectorSettings, Settings
from models.zoo.serving import backends


@pytest.fixture(autouse=True)
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object | None:
        return None if name == "torch" else find_spec(name)

    monkeypatch.setattr(backends, "find_spec", find)


def test_networks_run_in_onnx_runtime() -> None:
    settings = Settings(device="cpu", backend="onnxruntime")
    assert load_configured_network(settings).runtime == "onnxruntime"
    build_detector(settings)


def test_a_backend_or_a_device_of_pytorch_names_the_extra() -> None:
    with pytest.raises(PackagesMissing) as caught:
        embedder_backend(Settings(device="cpu", backend="torch"), "cpu")
    assert caught.value.extra == "gpu"
    with pytest.raises(PackagesMissing, match="VULTUS_DEVICE=cuda") as caught:
        resolve_device("cuda")
    assert caught.value.extra == "gpu"


def test_a_network_that_runs_in_pytorch_alone_names_the_extra(tmp_path: Path) -> None:
    settings = Settings(device="cpu", embedder="facenet-vggface2", data_dir=tmp_path)
    with pytest.raises(StartupError, match=r"facenet-vggface2 .*pip install 'vultus\[gpu\]'"):
        load_configured_network(settings)


def test_a_device_that_cannot_be_used_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "may_have_accelerator", lambda: True)
    monkeypatch.setattr("app.recognition.device.sys.platform", "linux")
    with capture_logs() as logs:
        assert resolve_device("auto") == "cpu"
    assert [line["event"] for line in logs] == ["gpu_unused"]
    assert "vultus[gpu]" in logs[0]["remedy"]


@pytest.mark.parametrize(("file", "found"), [("nvidiactl", True), ("kfd", True), ("null", False)])
def test_a_device_is_known_by_the_file_of_its_driver(
    file: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.recognition.accelerators.sys.platform", "linux")
    (tmp_path / file).touch()
    assert may_have_accelerator(tmp_path) == found


def test_the_detector_runs_without_it() -> None:
    chosen = DetectorSettings(name="mtcnn")
    build_detector(Settings(device="cpu", backend="auto", detector=chosen))
