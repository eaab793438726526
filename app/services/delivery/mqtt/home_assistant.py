"""Announcements of the service and its terminals, of which Home Assistant makes entities.

The format is MQTT discovery: PREFIX/COMPONENT/OBJECT_ID/config, by the documentation of Home
Assistant's MQTT integration. Messages are retained: it reads them whenever it starts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from app.services.delivery.mqtt.event_messages import TERMINAL_EVENTS, EventMessages, Terminal
from app.services.delivery.mqtt.message import Message, json_message
from app.services.delivery.mqtt.topics import object_id

_VERSION = version("vultus")
_MAKER = {"manufacturer": "Vultus", "model": "Face recognition", "sw_version": _VERSION}
_LONGEST_STATE = 255


@dataclass(frozen=True, slots=True)
class HomeAssistant:
    """Makes discovery messages below `prefix` (homeassistant)."""

    prefix: str
    messages: EventMessages
    qos: int

    def service(self) -> Iterator[Message]:
        """Yield the entities of the service: whether it is there."""
        service_id = self._service_id
        device = {"identifiers": [service_id], "name": "Vultus", **_MAKER}
        entity = {
            "name": "Service",
            "state_topic": self.messages.status_topic,
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
        }
        # Without availability: when the service is away, this entity says so.
        yield self._config("binary_sensor", f"{service_id}_service", entity, device)

    def terminal(self, terminal: Terminal) -> Iterator[Message]:
        """Yield the entities of a terminal: the last person and unknown face, and events."""
        topic = self.messages.terminal_topic(terminal)
        terminal_id = f"{self._service_id}_{object_id(*terminal)}"
        device = {
            "identifiers": [terminal_id],
            "name": f"{terminal.terminal_id} ({terminal.collection})",
            "via_device": self._service_id,
            **_MAKER,
        }
        person = "(value_json.name or value_json.identity_id or 'nobody')"
        entities: dict[str, tuple[str, dict[str, object]]] = {
            "person": (
                "sensor",
                {
                    "name": "Last person",
                    "icon": "mdi:account-check",
                    "value_template": f"{{{{ {person}[:{_LONGEST_STATE}] }}}}",
                    "json_attributes_topic": f"{topic}/person",
                },
            ),
            "unknown": (
                "sensor",
                {
                    "name": "Last unknown face",
                    "icon": "mdi:account-question",
                    "device_class": "timestamp",
                    "value_template": "{{ value_json.at }}",
                    "json_attributes_topic": f"{topic}/unknown",
                },
            ),
            "event": (
                "event",
                {
                    "name": "Face",
                    "icon": "mdi:face-recognition",
                    "event_types": list(TERMINAL_EVENTS),
                },
            ),
        }
        for name, (component, entity) in entities.items():
            available = {"availability_topic": self.messages.status_topic}
            whole = {**entity, "state_topic": f"{topic}/{name}", **available}
            yield self._config(component, f"{terminal_id}_{name}", whole, device)

    @property
    def _service_id(self) -> str:
        return object_id(self.messages.topic)

    def _config(
        self,
        component: str,
        entity_id: str,
        entity: Mapping[str, object],
        device: Mapping[str, object],
    ) -> Message:
        document = {
            **entity,
            "unique_id": entity_id,
            "qos": self.qos,
            "device": device,
            "origin": {"name": "Vultus", "sw_version": _VERSION},
        }
        topic = f"{self.prefix}/{component}/{entity_id}/config"
        return json_message(topic, document, retain=True)
