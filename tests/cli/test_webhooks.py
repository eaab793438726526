"""`vultus webhooks`, on a real database and with a real receiver."""

from collections.abc import Iterator
from functools import partial

import pytest

from app.errors import EventNotKept, WebhookNotFound, WebhookTargetRefused
from tests.kit.commands import json_of_command, run_command
from tests.kit.webhook_receiver import Receiver, receiving

_run = partial(run_command, "webhooks")
_json = partial(json_of_command, "webhooks")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("VULTUS_WEBHOOKS__HTTP", "true")
    monkeypatch.setenv("VULTUS_WEBHOOKS__NETWORKS", "127.0.0.0/8")
    with receiving() as started:
        yield started


def test_a_webhook_is_made_tested_rotated_stopped_and_removed(receiver: Receiver) -> None:
    added = _run("add", receiver.url, "--name", "do[red]or", "--type", "person.matched")
    (receiver.secret,) = added.stdout.splitlines()
    (webhook,) = _json("list")["webhooks"]
    assert (webhook["name"], webhook["types"]) == ("do[red]or", ["person.matched"])
    assert webhook["created_by"].startswith("cli:")
    assert receiver.secret not in _run("list").stdout
    tested = _run("test", webhook["id"])
    assert (tested.exit_code, tested.stdout[:9]) == (0, "delivered")
    receiver.secret = _json("rotate", webhook["id"], "--overlap", "0")["secret"]
    assert _json("test", webhook["id"])["error"] is None
    receiver.answer = lambda _message, _before: 500
    failed = _run("test", webhook["id"])
    assert (failed.exit_code, failed.stdout[:27]) == (3, "not delivered: answered 500")
    assert _json("disable", webhook["id"])["stopped_because"] == "asked"
    assert _json("enable", webhook["id"])["enabled"] is True
    assert _json("replay", webhook["id"], "--after", "0")["position"] == 0
    with pytest.raises(EventNotKept):
        _run("replay", webhook["id"], "--dead-letter", "1")
    assert _run("replay", webhook["id"]).exit_code == 2
    assert webhook["id"] in _run("remove", webhook["id"]).stdout
    with pytest.raises(WebhookNotFound):
        _run("remove", webhook["id"])


def test_a_target_that_is_not_permitted_is_refused() -> None:
    with pytest.raises(WebhookTargetRefused):
        _run("add", "https://127.0.0.1/")
    assert _run("add", "https://example.com/", "--type", "person.seen").exit_code == 2
