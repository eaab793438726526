"""Events on a real broker: none is lost while it is away; Home Assistant finds the terminals."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.people import embedding
from tests.gallery.factories import eventually
from tests.kit.mosquitto import MOSQUITTO, WITHOUT_MOSQUITTO, Broker, Listener, broker
from tests.kit.server import ServerProcess, running

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason=WITHOUT_MOSQUITTO)

_NAME = "Ada/+# Lovelace"
_DOOR = "front.door-1"
_STATE = f"vultus/terminals/default/{_DOOR}"


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("mosquitto")) as one:
        yield one


@pytest.fixture(scope="module")
def listener(own_broker: Broker) -> Iterator[Listener]:
    one = Listener(own_broker.port)
    yield one
    one.close()


@pytest.fixture(scope="module")
def server(
    own_broker: Broker, listener: Listener, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    with running(
        tmp_path_factory.mktemp("mqtt"),
        VULTUS_MQTT__URL=f"mqtt://127.0.0.1:{own_broker.port}",
        VULTUS_MQTT__NAMES="true",
        VULTUS_MQTT__DOUBLE_TAKE="true",
    ) as started:
        assert listener.wait_for("vultus/status").payload == "online"
        yield started


def _enroll(client: httpx2.Client, seed: int, name: str) -> str:
    person = {"name": name, "embeddings": [embedding(seed)]}
    answer = client.post(
        "/v1/collections/default/identities:batch",
        content=json.dumps(person),
        headers={"content-type": "application/x-ndjson"},
    ).raise_for_status()
    identity_id: str = json.loads(answer.text.splitlines()[0])["identity_id"]
    return identity_id


def _search(client: httpx2.Client, seed: int, terminal_id: str) -> None:
    body = {"embedding": embedding(seed), "terminal_id": terminal_id}
    answer = client.post("/v1/collections/default/search", json=body).raise_for_status()
    assert answer.json()["status"] == "match"


def test_a_match_at_a_terminal_is_an_event_a_state_and_entities(
    server: ServerProcess, listener: Listener
) -> None:
    with httpx2.Client(base_url=server.url, timeout=60) as client:
        ada = _enroll(client, 1, _NAME)
        _search(client, 1, _DOOR)
        event = listener.wait_for("vultus/events/default/person.matched").document
        assert (event["identity_id"], event["data"]["terminal_id"]) == (ada, _DOOR)
        state = listener.wait_for(f"{_STATE}/person").document
        assert (state["identity_id"], state["name"]) == (ada, _NAME)
        assert state["similarity"] == event["data"]["similarity"] > 0.9
        assert listener.wait_for(f"{_STATE}/event").document["event_type"] == "person.matched"
        configs = [one for one in listener.received if one.topic.startswith("homeassistant/")]
        entities = {one.document["name"]: (one.topic, one.document) for one in configs}
        assert set(entities) == {"Service", "Last person", "Last unknown face", "Face"}
        for topic, entity in entities.values():
            _, component, entity_id, _ = topic.split("/")
            assert component in ("binary_sensor", "sensor", "event")
            assert entity["unique_id"] == entity_id
            assert entity_id.replace("_", "").replace("-", "").isalnum()
        person = entities["Last person"][1]
        assert person["state_topic"] == person["json_attributes_topic"] == f"{_STATE}/person"
        assert person["availability_topic"] == "vultus/status"
        assert person["device"]["via_device"] in entities["Service"][1]["device"]["identifiers"]
        match = listener.wait_for("double-take/matches/Ada%2F%2B%23 Lovelace")
        assert match.document["camera"] == _DOOR
        assert match.document["match"]["confidence"] == round(100 * state["similarity"], 2)
        assert "embedding" not in str(listener.received)


def test_events_wait_for_a_broker_that_is_away_and_an_erased_person_leaves_the_state(
    server: ServerProcess, own_broker: Broker, listener: Listener
) -> None:
    with httpx2.Client(base_url=server.url, timeout=60) as client:
        bob = _enroll(client, 2, "Bob")
        _search(client, 2, "gate")
        listener.wait_for("vultus/terminals/default/gate/person")
        own_broker.stop()
        server.wait_for("mqtt_away")
        _search(client, 2, "yard")
        metrics = client.get("/metrics").text
        assert "vultus_mqtt_connected 0.0" in metrics
        own_broker.start()
        listener.wait_for("vultus/terminals/default/yard/person")
        matched = [
            one.document["data"]["terminal_id"]
            for one in listener.received
            if one.topic.endswith("/person.matched") and one.document["identity_id"] == bob
        ]
        assert list(dict.fromkeys(matched)) == ["gate", "yard"]
        client.delete(f"/v1/collections/default/identities/{bob}").raise_for_status()
        for terminal in ("gate", "yard"):
            topic = f"vultus/terminals/default/{terminal}/person"
            gone = listener.wait_for(topic, lambda one: one.document["identity_id"] is None)
            assert gone.document["terminal_id"] == terminal
    late = Listener(own_broker.port)
    try:
        kept = late.wait_for("vultus/terminals/default/yard/person")
        assert (kept.retained, kept.document["name"]) == (True, None)
    finally:
        late.close()


def test_the_broker_says_that_a_killed_service_is_gone(
    server: ServerProcess, listener: Listener
) -> None:
    server.kill()
    eventually(lambda: listener.last("vultus/status").payload == "offline")
