"""The messages of an event: the event itself, and the state of the terminal that it came from.

    TOPIC/status                                    online, or offline; retained
    TOPIC/events/COLLECTION/TYPE                    each event
    TOPIC/terminals/COLLECTION/TERMINAL/person      who was recognised last; retained, if wanted
    TOPIC/terminals/COLLECTION/TERMINAL/unknown     the last unknown face; likewise
    TOPIC/terminals/COLLECTION/TERMINAL/event       what happens there, while it is news

Names are in a message only if that is wanted, and embeddings and photos in none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.gallery.journal.chain import moment_text
from app.gallery.journal.event_records import Event
from app.services.delivery.mqtt.message import Message, json_message
from app.services.delivery.mqtt.topics import level

MATCHED = "person.matched"
UNKNOWN = ("unknown.seen", "unknown.again")
ERASED = ("identity.erased", "identity.merged")
TERMINAL_EVENTS = (MATCHED, *UNKNOWN, "quality.rejected")
NO_COLLECTION = "-"


class Terminal(NamedTuple):
    collection: str
    terminal_id: str


def terminal_of(event: Event) -> Terminal | None:
    """Return where an event happened, if a terminal says so."""
    terminal_id = event.data.get("terminal_id")
    if event.type not in TERMINAL_EVENTS or event.collection is None or not terminal_id:
        return None
    return Terminal(event.collection, str(terminal_id))


@dataclass(frozen=True, slots=True)
class EventMessages:
    """Makes messages below a topic. `retain`: states are kept by the broker."""

    topic: str
    retain: bool

    @property
    def status_topic(self) -> str:
        return f"{self.topic}/status"

    @property
    def people_topics(self) -> str:
        """Return the filter that all states of people match."""
        return f"{self.topic}/terminals/+/+/person"

    def terminal_topic(self, terminal: Terminal) -> str:
        levels = level(terminal.collection), level(terminal.terminal_id)
        return "/".join((self.topic, "terminals", *levels))

    def person_topic(self, terminal: Terminal) -> str:
        return f"{self.terminal_topic(terminal)}/person"

    def status(self, *, online: bool) -> Message:
        return Message(self.status_topic, "online" if online else "offline", retain=True)

    def of(self, event: Event, *, name: str | None, is_news: bool) -> Iterator[Message]:
        """Yield the messages of an event. `name` is the person's, None where it is not wanted."""
        document = _document(event) | ({} if name is None else {"name": name})
        collection = NO_COLLECTION if event.collection is None else level(event.collection)
        yield json_message(f"{self.topic}/events/{collection}/{event.type}", document)
        terminal = terminal_of(event)
        if terminal is None:
            return
        topic = self.terminal_topic(terminal)
        if is_news:
            yield json_message(f"{topic}/event", {"event_type": event.type, **document})
        if event.type == MATCHED:
            person = {
                "identity_id": event.identity_id,
                "name": name,
                "similarity": event.data.get("similarity"),
                "at": moment_text(event.at),
                **terminal._asdict(),
            }
            yield json_message(self.person_topic(terminal), person, retain=self.retain)
        elif event.type in UNKNOWN:
            unknown = {
                "at": moment_text(event.at),
                "group_ids": event.data.get("group_ids"),
                "is_new": event.type == UNKNOWN[0],
                **terminal._asdict(),
            }
            yield json_message(f"{topic}/unknown", unknown, retain=self.retain)

    def nobody(self, topic: str, terminal: Terminal) -> Message:
        """Take the person out of a state, as they were erased."""
        state = dict.fromkeys(("identity_id", "name", "similarity", "at"))
        return json_message(topic, {**state, **terminal._asdict()}, retain=self.retain)


def _document(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "position": event.position,
        "type": event.type,
        "at": moment_text(event.at),
        "collection": event.collection,
        "identity_id": event.identity_id,
        "data": dict(event.data),
    }
