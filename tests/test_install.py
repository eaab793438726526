"""The installer asks pip for the right things; pip and PyTorch's index are not ours."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import pytest

ROOT = Path(__file__).parent.parent
Install = Callable[..., list[list[str]]]


@pytest.fixture
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "scripts" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def install(installer: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """Run the installer; answers what it asked of pip, one list of arguments a call."""

    def run(
        *arguments: str, reachable: bool = True, torch: str = "", gpu: bool = False
    ) -> list[list[str]]:
        asked: list[list[str]] = []

        def urlopen(*_: object, **__: object) -> object:
            if not reachable:
                raise URLError("no way out")
            return open(ROOT / "README.md", "rb")  # noqa: PTH123  (anything that closes)

        monkeypatch.setattr(installer, "_make_environment", lambda _: Path(sys.executable))
        monkeypatch.setattr(installer, "_installed_torch", lambda _: torch)
        monkeypatch.setattr(installer, "_has_no_nvidia_gpu", lambda: not gpu)
        monkeypatch.setattr(installer, "_pip", lambda _, *wanted: asked.append(list(wanted)))
        monkeypatch.setattr(installer.urllib.request, "urlopen", urlopen)
        monkeypatch.setattr("sys.argv", ["install.py", str(tmp_path), *arguments])
        assert installer.main() == 0
        return asked

    return run


def test_service_and_tests_are_installed_from_the_checkout(install: Install) -> None:
    assert install(gpu=True) == [["--editable", f"{ROOT}[openvino,train]"]]
    assert install("--dev", gpu=True) == [["--editable", f"{ROOT}[dev]"]]
    assert install("--no-editable", gpu=True) == [[f"{ROOT}[openvino,train]"]]
    with_milvus = install("--no-editable", "--extras", "onnx,milvus", gpu=True)
    assert with_milvus == [[f"{ROOT}[onnx,milvus]"]]


def test_machine_without_gpu_gets_the_cpu_build_first(install: Install) -> None:
    torch, project = install()
    assert torch[:2] == ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
    assert [line.split("==")[0] for line in torch[2:]] == ["torch", "torchvision"]
    assert all(line.endswith("+cpu") for line in torch[2:])
    assert project == ["--editable", f"{ROOT}[openvino,train]"]


def test_pytorch_is_left_out_where_no_part_needs_it(install: Install) -> None:
    assert install("--extras", "openvino") == [["--editable", f"{ROOT}[openvino]"]]
    assert install("--torch", "none", "--torch-only") == []
    assert len(install("--extras", "openvino,gpu")) == 2


def test_unreachable_index_leaves_pytorch_to_the_registry(install: Install) -> None:
    assert install(reachable=False) == [["--editable", f"{ROOT}[openvino,train]"]]


def test_wanted_cpu_build_is_had_or_nothing(install: Install) -> None:
    assert len(install("--torch", "cpu", "--torch-only")) == 1
    with pytest.raises(URLError):
        install("--torch", "cpu", reachable=False)


def test_default_build_replaces_a_cpu_build(install: Install) -> None:
    replaced, kept = install("--torch", "default", "--torch-only", torch="2.14.1+cpu")
    assert "--force-reinstall" in replaced
    assert kept == replaced[2:]
    assert len(install("--torch", "default", "--torch-only", torch="2.14.1")) == 1


def test_installed_pytorch_is_left_alone(install: Install) -> None:
    assert install(torch="2.14.1") == [["--editable", f"{ROOT}[openvino,train]"]]


def test_environment_without_pip_is_made_anew(installer: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = installer._make_environment(folder)
    assert installer._has_pip(python)


@pytest.mark.parametrize("target", ["serve", "demo", "test", "check", "bench"])
def test_every_target_installs_what_it_needs(target: str, tmp_path: Path) -> None:
    """In an empty checkout, the first thing that any target does is to install."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "install.py").write_bytes(
        (ROOT / "scripts" / "install.py").read_bytes()
    )
    # The tests themselves may run under make, whose variables would reach this one.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--dry-run", target, f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first = done.stdout.splitlines()[0]
    assert "scripts/install.py" in first
    assert ("--dev" in first) == (target not in ("serve", "demo"))
