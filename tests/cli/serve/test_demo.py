"""`vultus demo`: a real process, a gallery for each page of the console, and nothing left of it."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.demo.demo_gallery import PHOTOS, STRANGER
from app.demo.demo_settings import demo_settings
from tests.kit.forked_vultus import ForkedVultus

_ENDS_WITHIN_S = 60


class Demo:
    """A running `vultus demo`, with the lines that it printed."""

    def __init__(self, process: ForkedVultus, folder: Path, output: Iterator[str]) -> None:
        self.process = process
        self.folder = folder
        self._output = output
        self.lines = [next(output) for _ in range(3)]
        (self.url,) = re.findall(r"http://127\.0\.0\.1:\d+/", self.lines[0])

    @property
    def galleries(self) -> list[Path]:
        """The folders that the demo has made and not removed."""
        return [path for path in self.folder.iterdir() if path.name.startswith("vultus-demo-")]

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}v1/collections/default{path}", timeout=60).raise_for_status()

    def end(self, sig: signal.Signals) -> list[str]:
        """Send a signal; return what the demo still prints. It must end with status 0."""
        self.process.send_signal(sig)
        assert self.process.wait(timeout=_ENDS_WITHIN_S) == 0
        return list(self._output)


@contextmanager
def _running(tmp_path: Path, *options: str, **variables: str) -> Iterator[Demo]:
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    read, write = os.pipe()
    process = ForkedVultus(["demo", *options], env=environment, cwd=tmp_path, stdout=write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as output:
        try:
            yield Demo(process, tmp_path, iter(output))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=_ENDS_WITHIN_S)


def test_demo_has_something_real_for_each_page_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C ends it in one line, and a user's own settings are not read."""
    own = tmp_path / "own"
    (tmp_path / ".env").write_text("VULTUS_PORT=no number\n")
    variables = {"VULTUS_DATA_DIR": str(own), "VULTUS_API_KEYS": "secret"}
    with _running(tmp_path, "--no-open", **variables) as demo:
        (gallery,) = demo.galleries
        assert gallery.stat().st_mode & 0o077 == 0
        people = {one["name"]: one for one in demo.get("/identities").json()["identities"]}
        eileen, lisa = people["Eileen Collins"], people["Mona Lisa"]
        assert (eileen["face_count"], lisa["face_count"]) == (2, 1)
        assert eileen["attributes"]
        assert eileen["expires_at"] is not None
        (finding,) = demo.get("/doctor").json()["findings"]
        assert finding["kind"] == "duplicate"
        assert {finding[who]["name"] for who in ("identity", "other")} == {
            "Lisa Gherardini",
            "Mona Lisa",
        }
        (group,) = demo.get("/unknowns").json()["groups"]
        assert group["seen_count"] == len(STRANGER)
        visitors = {"image": (PHOTOS / "visitors.jpg").read_bytes()}
        answer = httpx2.post(
            f"{demo.url}v1/collections/default/identify", files=visitors, timeout=60
        ).raise_for_status()
        faces = sorted(answer.json()["faces"], key=lambda face: face["box"])
        assert [face["status"] for face in faces] == ["match", "match", "unknown"]
        named = [face["identity"]["name"] for face in faces[:2]]
        assert named == ["Eileen Collins", "Mona Lisa"]
        assert len(demo.end(signal.SIGINT)) == 1
        assert demo.galleries == []
        assert not own.exists()


def test_gallery_of_the_demo_is_removed_with_its_terminal(tmp_path: Path) -> None:
    with _running(tmp_path, "--no-open") as demo:
        assert demo.galleries
        demo.end(signal.SIGHUP)
        assert demo.galleries == []


def test_console_of_the_demo_is_opened_in_the_browser(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    with _running(tmp_path, BROWSER=f"{browser} %s") as demo:
        assert opened.read_text() == f"{demo.url}console/\n"
        assert httpx2.get(f"{demo.url}console/", timeout=60).status_code == 200
        demo.end(signal.SIGTERM)
        assert demo.galleries == []


def test_taken_port_is_refused_before_anything_is_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(cli, ["demo", "--no-open", "--port", str(port)])
    assert done.exit_code == 2
    assert f"cannot listen on the port {port}" in done.output


def test_settings_of_the_demo_come_from_neither_environment_nor_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_DATABASE_URL", "postgresql://real/gallery")
    monkeypatch.setenv("VULTUS_INDEX__MILVUS_URI", "http://real:19530")
    settings = demo_settings(tmp_path, host="127.0.0.1", port=0)
    assert settings.resolved_database_url == f"sqlite:///{tmp_path / 'vultus.db'}"
    assert settings.index.milvus_uri is None
    other = demo_settings(tmp_path, host="127.0.0.1", port=0)
    assert settings.crops_key != other.crops_key
