"""Make the virtual environment and install Vultus with the exact versions that were tested.

Runs on a bare Python; uses nothing but its standard library. PyTorch is installed where a part
needs it (gpu, train). It comes first, because which build is right depends on the machine: with an
NVIDIA GPU the registry's default, without one the small CPU build, where PyTorch's own index can be
reached, and else the default again, which also runs on a CPU and is only larger.
"""

from __future__ import annotations  # so that an older Python gets as far as the message

import argparse
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
QUICK_TRY_S = 5
OLDEST_PYTHON = (3, 11)
DEFAULT_PARTS = "openvino,train"
PARTS_WITH_TORCH = frozenset({"gpu", "train"})


def main() -> int:
    options = _parse()
    if sys.version_info < OLDEST_PYTHON:
        print(
            f"Vultus needs Python 3.11 or newer; this is {platform.python_version()}. "
            "Run: make PYTHON=/path/to/python3.11",
            file=sys.stderr,
        )
        return 1
    python = _make_environment(options.folder)
    if python is None:
        return 1
    if options.torch != "none" and _needs_torch(options):
        _install_torch(python, options.torch)
    if not options.torch_only:
        project = f"{ROOT}[{'dev' if options.dev else options.extras}]"
        _pip(python, *([project] if options.no_editable else ["--editable", project]))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Install Vultus into a virtual environment.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--torch",
        choices=("auto", "cpu", "default", "none"),
        default="auto",
        help="cpu: PyTorch's CPU build or fail; default: the registry's; auto: cpu without a GPU, "
        "if it can be had; none: leave it to the parts",
    )
    parser.add_argument(
        "--extras",
        default=DEFAULT_PARTS,
        help="optional parts: openvino, gpu, report, train, milvus, mqtt, otel "
        f"(default: {DEFAULT_PARTS})",
    )
    parser.add_argument("--dev", action="store_true", help="also what tests and benchmarks need")
    parser.add_argument(
        "--no-editable", action="store_true", help="copy the packages, as images do"
    )
    parser.add_argument("--torch-only", action="store_true", help="stop after PyTorch")
    return parser.parse_args()


def _needs_torch(options: argparse.Namespace) -> bool:
    parts = frozenset(options.extras.split(","))
    return options.dev or options.torch_only or bool(parts & PARTS_WITH_TORCH)


def _make_environment(folder: Path) -> Path | None:
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if _has_pip(python):
        return python
    try:
        # Cleared first: an attempt without ensurepip leaves an environment without pip behind.
        venv.create(folder, with_pip=True, symlinks=os.name != "nt", clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        print(
            f"cannot make a virtual environment ({error}); on Debian and Ubuntu, run: "
            "apt-get install python3-venv",
            file=sys.stderr,
        )
        return None
    return python


def _has_pip(python: Path) -> bool:
    if not python.exists():
        return False
    asked = [str(python), "-m", "pip", "--version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _install_torch(python: Path, choice: str) -> None:
    pinned = _pinned("torch", "torchvision")
    if choice == "default":
        if _installed_torch(python).endswith("+cpu"):  # to pip, the CPU build fits the pin as well
            _pip(python, "--force-reinstall", "--no-deps", *pinned)
        _pip(python, *pinned)
    elif choice == "cpu":
        _install_cpu_torch(python, pinned)
    elif _has_no_nvidia_gpu() and not _installed_torch(python):
        try:
            _install_cpu_torch(python, pinned)
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"PyTorch's CPU builds cannot be had ({error}); installing the registry's build, "
                "which is larger and runs on the CPU as well."
            )


def _has_no_nvidia_gpu() -> bool:
    # Only Linux and Windows wheels come in a CUDA and a CPU flavour.
    return platform.system() in ("Linux", "Windows") and shutil.which("nvidia-smi") is None


def _install_cpu_torch(python: Path, pinned: list[str]) -> None:
    """Raises OSError (of which URLError is one) when PyTorch's index does not answer at once."""
    urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=QUICK_TRY_S).close()
    _pip(python, "--extra-index-url", CPU_INDEX, *(f"{line}+cpu" for line in pinned))


def _installed_torch(python: Path) -> str:
    """Version of PyTorch in the environment, or nothing."""
    ask = "import importlib.metadata as m; print(m.version('torch'))"
    asked = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def _pinned(*names: str) -> list[str]:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split("==")[0] in names]


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*command, "--constraint", str(CONSTRAINTS), *arguments], check=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        print(f"this step failed: {' '.join(map(str, failed.cmd))}", file=sys.stderr)
        sys.exit(1)
    except OSError as failed:
        print(f"PyTorch's CPU index does not answer: {failed}; try TORCH=default", file=sys.stderr)
        sys.exit(1)
