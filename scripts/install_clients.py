"""Install the clients of other servers into an environment of their own, for the tests of them.

Run by the environment of the tests, whose OpenCV and Matplotlib one client shares: these would take
400 MB once more. What cannot be installed, as a registry lacks it or Node is absent, is left out;
clients.json names it with the reason, with which the tests of it are skipped.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tests" / "clients"
REPORT = "clients.json"
COMPLETE = ".complete"
MODULES = {
    "compreface-sdk": "compreface",
    "compreface-sdk-python": "compare",
    "boto3": "boto3",
    "awscli": "awscli.clidriver",
    "deepstack-python": "deepstack.core",
    "codeproject-ai-api": "codeprojectai.core",
    "deepstack-sdk": "deepstack_sdk",
}
"""By the name of the client: what a program imports of it."""

_GIVES_UP_AFTER_S = 60
"""What was not installed by then, as a registry does not answer, is left out."""

NODE_PACKAGES = ("@exadel/compreface-js-sdk", "@aws-sdk/client-rekognition")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    (folder / COMPLETE).unlink(missing_ok=True)
    python = _make_environment(folder)
    _install(python)
    reasons = {client: _fault(python, module) for client, module in MODULES.items()}
    fault_of_node = _install_node_packages(folder / "node")
    reasons |= dict.fromkeys(NODE_PACKAGES, fault_of_node)
    (folder / REPORT).write_text(json.dumps(reasons, indent=2), encoding="utf-8")
    for client, reason in reasons.items():
        if reason:
            print(f"left out: {client} ({reason})", file=sys.stderr)
    if not any(reasons.values()):
        (folder / COMPLETE).touch()
    return 0


def _make_environment(folder: Path) -> Path:
    """Python of an empty environment, which sees the packages of this one after its own.

    pip must not see them, so that they are named after it has run.
    """
    venv.create(folder, with_pip=False, symlinks=os.name != "nt", clear=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def _install(python: Path) -> None:
    requirements = SOURCES / "requirements.txt"
    gives_up = monotonic() + _GIVES_UP_AFTER_S
    if not _pip(python, "--requirement", str(requirements)):
        # A registry lacks one of them: the others are installed.
        for line in requirements.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#") and monotonic() < gives_up:
                _pip(python, line)
    asked = _ask(python, "import sysconfig; print(sysconfig.get_path('purelib'))")
    (Path(asked.stdout.strip()) / "packages_of_the_tests.pth").write_text(
        sysconfig.get_path("purelib") + "\n", encoding="utf-8"
    )


def _pip(python: Path, *wanted: str) -> bool:
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--retries=1", "--timeout=10"]
    return subprocess.run([*command, *options, *wanted], check=False).returncode == 0


def _fault(python: Path, module: str) -> str | None:
    """The last line of what went wrong when a client was imported."""
    asked = _ask(python, f"import {module}")
    return asked.stderr.strip().splitlines()[-1] if asked.returncode else None


def _ask(python: Path, statement: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "-c", statement], capture_output=True, text=True, check=False
    )


def _install_node_packages(folder: Path) -> str | None:
    """Return why they are not there, or None."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "Node is not installed"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    command = [npm, "ci", *options, "--fetch-retries=1", "--fetch-timeout=20000"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return f"npm ci: {(done.stderr.splitlines() or [''])[0]}" if done.returncode else None


if __name__ == "__main__":
    sys.exit(main())
