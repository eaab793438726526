"""The service as its container runs it: without rights, with nothing to write but data and /tmp."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import httpx2
import pytest

from tests.kit import photos
from tests.kit.programs import VULTUS, Program, Surroundings, start_program
from tests.kit.server import ServerProcess

_SCRIPT = """
data=$1; code=$2; shift 2
mount --bind "$data" "$data"
mount -o remount,ro,bind /
# A checkout below /tmp would be hidden by what the service gets there.
mount --bind "$code" /mnt
mount -o remount,ro,bind /mnt
mount -t tmpfs -o size=64m,mode=1777 tmpfs /tmp
[ -d "$code" ] || { mkdir -p "$code" && mount --bind /mnt "$code"; }
cd "$data"
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def _can_be_isolated() -> bool:
    """Whether this user may make a read-only view of the machine, as only root may."""
    if sys.platform != "linux" or not (shutil.which("unshare") and shutil.which("setpriv")):
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -o remount,ro,bind /"],
        check=False,
        capture_output=True,
    )
    return tried.returncode == 0


class _ReadOnlyServer(ServerProcess):
    def _start(self, command: list[str], **surroundings: Unpack[Surroundings]) -> Program:
        environment = {k: v for k, v in surroundings["env"].items() if k != "HOME"}
        isolated: list[str | Path] = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            _SCRIPT,
            "sh",
            str(self.data_dir),
            str(VULTUS.parents[2]),
            VULTUS,
        ]
        return start_program([*isolated, *command], **surroundings | {"env": environment})


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of /tmp, which the service does not see."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        yield Path(made)


def test_service_needs_no_rights_and_writes_nothing_but_its_data(folder: Path) -> None:
    if not _can_be_isolated():
        pytest.skip("only root can make a read-only view of the machine")
    server = _ReadOnlyServer(folder)
    try:
        eileen = photos.encoded(photos.astronaut())
        enrolled = httpx2.post(
            f"{server.url}/v1/collections/default/identities",
            data={"name": "Eileen"},
            files={"images": eileen},
            timeout=120,
        )
        assert enrolled.status_code == 201
        # These are decoded in a process of their own.
        for photo in (photos.encoded(photos.hopper(), "TIFF"), photos.encoded(photos.hopper())):
            found = httpx2.post(f"{server.url}/v1/detect", files={"image": photo}, timeout=120)
            assert len(found.raise_for_status().json()["faces"]) == 1
    finally:
        server.kill()
    assert not [line for line in server.log if "Read-only" in line or "Permission" in line]
    assert not [entry for entry in server.entries if entry["level"] in ("warning", "error")]
