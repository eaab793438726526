"""The status at the broker is that of all processes together."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import StartupError
from app.gallery.journal.event_records import Event
from app.gallery.journal.reads import ReadLog
from app.gallery.records import Identity
from app.gallery.store.database import Database
from app.observe.metrics import Metrics
from app.services.delivery.event_target import DELIVERED
from app.services.delivery.mqtt.message import Message
from app.services.delivery.mqtt.topics import level
from app.services.delivery.mqtt_building import mqtt_sources, mqtt_target
from app.settings import AuditSettings, MqttSettings, Settings
from tests.gallery.factories import eventually
from tests.kit.mosquitto import MOSQUITTO, WITHOUT_MOSQUITTO, Listener, broker

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason=WITHOUT_MOSQUITTO)

_STATUS = "home/faces/status"


def _nobody(_collection: str, _identity_id: str) -> Identity:
    raise NotImplementedError


def _database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'vultus.db'}", timeout_s=1)


def test_a_broker_without_the_audit_log_stops_the_start(tmp_path: Path) -> None:
    database = _database(tmp_path)
    settings = Settings(
        mqtt=MqttSettings(url="mqtt://127.0.0.1"), audit=AuditSettings(enabled=False)
    )
    with pytest.raises(StartupError, match="no events without the audit log"):
        mqtt_sources(settings, database, _nobody, ReadLog(database), Metrics())


def test_a_process_answers_for_one_that_was_killed_and_takes_leave_at_its_end(
    tmp_path: Path,
) -> None:
    with broker(tmp_path) as own:
        listener = Listener(own.port)
        settings = MqttSettings(url=f"mqtt://127.0.0.1:{own.port}", topic="home/faces")
        reads = ReadLog(_database(tmp_path))
        target = mqtt_target(settings, _nobody, reads, Metrics())
        target.connection.start()
        assert listener.wait_for(_STATUS).payload == "online"
        listener.publish(_STATUS, "offline")  # as the broker does for a process that was killed
        listener.wait_for(_STATUS, lambda one: one.payload == "offline")
        eventually(lambda: listener.last(_STATUS).payload == "online")
        target.end()
        eventually(lambda: listener.last(_STATUS).payload == "offline")
        late = Listener(own.port)
        assert late.wait_for(_STATUS).payload == "offline"
        for one in (listener, late):
            one.close()


def test_neither_others_at_the_broker_nor_a_name_hold_back_events(tmp_path: Path) -> None:
    with broker(tmp_path) as own:
        listener = Listener(own.port)
        settings = MqttSettings(url=f"mqtt://127.0.0.1:{own.port}", topic="home/faces")
        target = mqtt_target(settings, _nobody, ReadLog(_database(tmp_path)), Metrics())
        target.connection.start()
        listener.wait_for(_STATUS)
        states = "home/faces/terminals/staff"
        state = {"collection": "staff", "terminal_id": "a", "identity_id": ["x"]}
        listener.publish(f"{states}/a/person", json.dumps(state))
        listener.publish(f"{states}/b/person", "[" * 100_000)
        listener.publish(f"{states}/c/person", json.dumps({**state, "identity_id": "x"}))
        eventually(lambda: target.is_held(f"{states}/c/person"))
        erased = Event(1, "1-1", "identity.erased", datetime.now(UTC), "staff", "x", {})
        assert asyncio.run(target.deliver(erased)) == DELIVERED
        # mosquitto ends the connection of who sends a topic with a noncharacter.
        topic = f"double-take/matches/{level('a' + chr(0xFFFE))}"
        target.connection.publish([Message(topic, "{}")])
        assert listener.wait_for(topic).payload == "{}"
        target.end()
        listener.close()
