"""The clients of other servers: what cannot be installed is named with its reason."""

import json
import re
from pathlib import Path

import pytest

from scripts import install_clients

pytestmark = pytest.mark.usefixtures("_quiet")


@pytest.fixture
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither registry is asked."""
    monkeypatch.setattr(install_clients, "_pip", lambda *_: False)
    monkeypatch.setattr("shutil.which", lambda _: None)


def test_every_client_is_pinned() -> None:
    requirements = (install_clients.SOURCES / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w-]+)==", requirements, flags=re.MULTILINE)
    assert set(install_clients.MODULES) <= set(pinned)
    node = json.loads((install_clients.SOURCES / "package.json").read_text(encoding="utf-8"))
    assert sorted(node["dependencies"]) == sorted(install_clients.NODE_PACKAGES)
    assert all(re.fullmatch(r"[\d.]+", version) for version in node["dependencies"].values())


def test_what_cannot_be_installed_is_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["install_clients", str(tmp_path)])
    monkeypatch.setattr(install_clients, "MODULES", {"boto3": "boto3", "deepstack-sdk": "cv2"})
    assert install_clients.main() == 0
    reasons = json.loads((tmp_path / install_clients.REPORT).read_text(encoding="utf-8"))
    node = dict.fromkeys(install_clients.NODE_PACKAGES, "Node is not installed")
    lacks_boto = "ModuleNotFoundError: No module named 'boto3'"
    # The packages of the tests are shared: OpenCV is found.
    assert reasons == {"boto3": lacks_boto, "deepstack-sdk": None, **node}
    assert f"left out: boto3 ({lacks_boto})" in capsys.readouterr().err
    assert not (tmp_path / install_clients.COMPLETE).exists()
