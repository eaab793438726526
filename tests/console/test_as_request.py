"""As a request: the commands for a terminal do what the page does, whatever is in them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.console_server import ConsoleServer
from tests.console.populated import HOSTILE_NAMES
from tests.kit.photos import astronaut, encoded

_NAME = f'O\'Neil "$HOME" `id` \\ ; x: true, [1]\n{HOSTILE_NAMES[1]}'
_FILE = 'o\'neil; type=text, "1" \\ $x ü.jpg'
_ATTRIBUTES: dict[str, Any] = {"note": _NAME, "at door": [True, None, 0.5, {}, []]}
_NAME_IN_JSON = json.dumps(_NAME, ensure_ascii=False)
_COMMANDS = """
async ([call, file]) => {
  const { asCurl, asPython } = await import("/console/core/as_request.js");
  const form = file && [...(call.form ?? []), ["images", new File([], file)]];
  const present = form ? { ...call, form } : call;
  return [asCurl(present), asPython(present)];
}
"""


def _commands(page: Page, call: dict[str, Any], *, file: str | None = None) -> tuple[str, str]:
    curl, python = page.evaluate(_COMMANDS, [call, file])
    return curl, python


def _run(*command: str, folder: Path, key: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "VULTUS_API_KEY": key, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_do_in_a_shell_what_the_page_does(
    page: Page, server: ConsoleServer, collection: str, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    page.goto(server.at("start", collection=collection))
    expect(page.locator("h1")).to_be_visible()
    (tmp_path / _FILE).write_bytes(encoded(astronaut()))
    people = f"collections/{collection}/identities"

    fields = [["name", _NAME], ["external_id", "@emp<1"], ["attributes", json.dumps(_ATTRIBUTES)]]
    curl, python = _commands(page, {"method": "POST", "path": people, "form": fields}, file=_FILE)
    for command in (("sh", "-c", curl), (sys.executable, "-c", python)):
        assert _NAME_IN_JSON in _run(*command, folder=tmp_path, key="none-is-asked")
        (made,) = server.client.get(f"/v1/{people}").json()["identities"]
        held = [made[name] for name in ("name", "external_id", "attributes")]
        assert held == [_NAME, "@emp<1", _ATTRIBUTES]
        if command[-1] is curl:
            server.client.delete(f"/v1/{people}/{made['id']}").raise_for_status()

    one = f"{people}/{made['id']}"
    change = {"method": "PATCH", "path": one, "json": {"name": _NAME, "attributes": _ATTRIBUTES}}
    curl, python = _commands(page, change)
    server.client.patch(f"/v1/{one}", json={"name": "x", "attributes": {}}).raise_for_status()
    for command in (("sh", "-c", curl), (sys.executable, "-c", python)):
        _run(*command, folder=tmp_path, key="")
        held = server.client.get(f"/v1/{one}").json()
        assert (held["name"], held["attributes"]) == (_NAME, _ATTRIBUTES)
        server.client.patch(f"/v1/{one}", json={"name": "x"}).raise_for_status()
    found, _ = _commands(page, {"path": people, "query": {"external_id": "@emp<1", "limit": 5}})
    assert made["id"] in _run("sh", "-c", found, folder=tmp_path, key="")
    _, removal = _commands(page, {"method": "DELETE", "path": one})
    assert _run(sys.executable, "-c", removal, folder=tmp_path, key="")[:2] == "20"
