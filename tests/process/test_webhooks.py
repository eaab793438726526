"""Webhooks of a real server, to a receiver that fails, hangs and answers twice, through kills."""

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.journal.event_records import Event
from app.gallery.journal.events import Events
from app.gallery.store.database import Database
from tests.kit.server import ServerProcess, running
from tests.kit.webhook_receiver import HANG, OK, TWICE, Message, Receiver, receiving

SETTINGS: dict[str, Any] = {
    "VULTUS_WEBHOOKS__HTTP": "true",
    "VULTUS_WEBHOOKS__NETWORKS": "127.0.0.0/8",
    "VULTUS_WEBHOOKS__TIMEOUT_S": "0.3",
    "VULTUS_WEBHOOKS__FIRST_RETRY_S": "0.1",
}
_PEOPLE = 4
_NAME = "Ada Lovelace"


def _unreliable(message: Message, before: int) -> int:
    """Fail in a way that depends on the event, and take it the second or third time."""
    number = message.data["position"] % 7
    if before >= (2 if number == 3 else 1):
        return OK
    return {0: 500, 1: HANG, 2: TWICE, 3: 503, 4: 302}.get(number, OK)


def _change(client: httpx2.Client, people: list[str], rounds: range) -> None:
    for turn in rounds:
        for identity_id in people:
            url = f"/v1/collections/default/identities/{identity_id}"
            client.patch(url, json={"name": f"{_NAME} {turn}"}).raise_for_status()


def _client(server: ServerProcess) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, timeout=30)


def _start(client: httpx2.Client, receiver: Receiver) -> int:
    """Make the webhook; return the position from which on it gets events."""
    made = client.post("/v1/webhooks", json={"name": "of a test", "url": receiver.url})
    assert made.status_code == 201, made.text
    receiver.secret = made.json()["secret"]
    position: int = made.json()["webhook"]["position"]
    return position


def test_each_event_arrives_in_order_through_failures_and_kills(tmp_path: Path) -> None:
    count = _PEOPLE * 9
    with receiving() as receiver:
        receiver.answer = _unreliable
        with running(tmp_path, **SETTINGS) as server, _client(server) as client:
            start = _start(client, receiver)
            people = [
                client.post("/v1/collections/default/identities", json={"name": _NAME}).json()[
                    "identity"
                ]["id"]
                for _ in range(_PEOPLE)
            ]
            _change(client, people, range(4))
            receiver.wait_until(lambda so_far: len(so_far.taken) >= 5)
            server.kill()
        with running(tmp_path, workers=2, **SETTINGS) as server, _client(server) as client:
            _change(client, people, range(4, 8))
            receiver.wait_until(lambda so_far: len(so_far.taken) >= 15)
            os.kill(server.worker_ids[0], signal.SIGKILL)
            receiver.wait_until(lambda so_far: len({one.id for one in so_far.taken}) >= count)
        with closing(Database(f"sqlite:///{tmp_path / 'vultus.db'}", timeout_s=10)) as database:
            events, _ = Events(database).after(start, types=None, collections=None, limit=1_000)
            (webhook,) = GalleryWebhooks(database).everything()
        _require_all_in_order(receiver, events)
        assert webhook.state.stopped_because is None
        assert (webhook.dead_count, webhook.state.missed_count) == (0, 0)
        assert _NAME not in str(receiver.came)


def _require_all_in_order(receiver: Receiver, events: list[Event]) -> None:
    assert receiver.wrong == []
    assert {one.id for one in receiver.taken} == {event.id for event in events}
    assert len(receiver.came) > len(events)
    for list_ in (receiver.came, receiver.taken):
        by_person: dict[str, list[int]] = {}
        for message in list_:
            positions = by_person.setdefault(message.data["identity_id"], [])
            if message.data["position"] not in positions:
                positions.append(message.data["position"])
        assert len(by_person) == _PEOPLE
        for positions in by_person.values():
            assert positions == sorted(positions)
