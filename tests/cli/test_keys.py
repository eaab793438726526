"""`vultus keys`, on a real database."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.errors import KeyInactive, KeyNotFound
from app.gallery.keys.key_texts import id_in
from tests.kit.commands import json_of_command, run_command

_run = partial(run_command, "keys")
_json = partial(json_of_command, "keys")


def test_a_key_is_printed_once_and_nothing_else_on_standard_output() -> None:
    added = _run("add", "front [red]door\x1b[2J", "--role", "operator", "--collection", "staff")
    (text,) = added.stdout.splitlines()
    key_id = id_in(text)
    assert key_id is not None
    assert "read, identify" in added.stderr
    listed = _run("list").stdout
    assert key_id in listed
    assert "[red]" in listed
    assert "\x1b[2J" not in listed + added.stderr
    assert text not in listed
    (key,) = _json("list")["keys"]
    assert (key["role"], key["collections"], key["state"]) == ("operator", ["staff"], "active")
    assert (key["expires_at"], key["last_used_at"]) == (None, None)


def test_keys_are_rotated_and_revoked_by_their_ids() -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    first = _json("add", "program", "--right", "identify", "--expires", str(tomorrow))["key"]
    assert (first["role"], first["rights"]) == ("custom", ["identify"])
    assert datetime.fromisoformat(first["expires_at"]).date() == tomorrow
    second = _json("rotate", first["id"], "--overlap", "0")["key"]
    assert (second["name"], second["rights"]) == ("program", ["identify"])
    states = {key["id"]: key["state"] for key in _json("list")["keys"]}
    assert (states[first["id"]], states[second["id"]]) == ("expired", "active")
    with pytest.raises(KeyInactive):
        _run("rotate", first["id"])
    assert f"revoked key {second['id']}" in _run("revoke", second["id"]).stdout
    assert _json("revoke", second["id"])["state"] == "revoked"
    with pytest.raises(KeyNotFound):
        _run("revoke", "000000000000")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["x"], "send a role, or rights"),
        (["x", "--role", "viewer", "--expires", "2020-01-01"], "must lie in the future"),
        (["x", "--role", "viewer", "--collection", "no/name"], "collections.0"),
        (["x", "--role", "boss"], "'boss'"),
    ],
)
def test_wrong_arguments_are_refused_before_a_database_is_made(
    words: list[str], fault: str
) -> None:
    refused = _run("add", *words)
    assert refused.exit_code == 2
    assert fault in re.sub(r"[│\s]+", " ", refused.stderr)


def test_a_key_for_sdks_has_a_pair_and_a_rate() -> None:
    printed = _run("add", "sdk", "--role", "operator", "--rate", "10/s", "--aws").stdout
    text, access_key_id, secret = printed.splitlines()
    assert text.startswith("vk_")
    assert access_key_id.startswith("aws_access_key_id = AKIA")
    assert len(secret.removeprefix("aws_secret_access_key = ")) == 40
    (key,) = json.loads(_run("list", "--json").stdout)["keys"]
    assert key["requests_per_min"] == 600
    assert access_key_id.endswith(key["aws_access_key_id"])
    wrong = _run("add", "sdk", "--role", "operator", "--rate", "10")
    assert wrong.exit_code == 2
    assert "10/s, 600/min or 5000/h" in wrong.output
