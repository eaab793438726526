"""The wheel holds every file that the packages need, as pip installs it without a checkout."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
_PACKAGES = ("app", "migrations", "models")
_OF_THE_PROJECT = ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md")
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def test_wheel_has_each_file_of_the_packages(tmp_path: Path) -> None:
    """Pages of the console, sample photos, cards and measurements of networks, and all modules."""
    checkout, built = tmp_path / "checkout", tmp_path / "built"
    no_caches = shutil.ignore_patterns("__pycache__")
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, checkout / package, ignore=no_caches)
    for name in _OF_THE_PROJECT:
        shutil.copy(ROOT / name, checkout / name)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, built],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if name.split("/")[0] in _PACKAGES}
    expected = {
        path.relative_to(checkout).as_posix()
        for package in _PACKAGES
        for path in (checkout / package).rglob("*")
        if path.is_file()
    }
    assert "app/demo/photos/visitors.jpg" in expected
    assert packed == expected
