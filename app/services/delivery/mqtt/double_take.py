"""Topics of Double Take, so that automations that were made for it go on.

`double-take/matches/NAME` and `double-take/cameras/CAMERA`, with the fields of its documentation
that Vultus knows; a terminal is a camera. There are no photos, so no `filename`, and no `box`.
"""

from collections.abc import Iterator

from app.gallery.journal.chain import moment_text
from app.gallery.journal.event_records import Event
from app.services.delivery.mqtt.event_messages import MATCHED, UNKNOWN, terminal_of
from app.services.delivery.mqtt.message import Message, json_message
from app.services.delivery.mqtt.topics import level

_PREFIX = "double-take"
_UNKNOWN = "unknown"
_DETECTOR = "vultus"


def double_take_messages(event: Event, name: str | None) -> Iterator[Message]:
    """Yield the messages of an event, if Double Take has such. `name`: None of an unknown face.

    The confidence is the similarity in percent.
    """
    terminal = terminal_of(event)
    if terminal is None or event.type not in (MATCHED, *UNKNOWN):
        return
    is_match = event.type == MATCHED
    similarity = event.data.get("similarity")
    face = {
        "name": (name or event.identity_id) if is_match else _UNKNOWN,
        "confidence": round(100 * similarity, 2) if isinstance(similarity, float) else None,
        "match": is_match,
        "box": None,
        "type": "latest",
        "duration": 0,
        "detector": _DETECTOR,
        "filename": None,
        "base64": None,
    }
    common = {
        "id": event.id,
        "duration": 0,
        "timestamp": moment_text(event.at),
        "attempts": 1,
        "camera": terminal.terminal_id,
        "zones": [],
    }
    kind = "match" if is_match else _UNKNOWN
    yield json_message(f"{_PREFIX}/matches/{level(str(face['name']))}", {**common, kind: face})
    camera = {
        **common,
        "matches": [face] if is_match else [],
        "misses": [],
        "unknowns": [] if is_match else [face],
        "counts": {"person": 1, "match": int(is_match), "miss": 0, "unknown": int(not is_match)},
    }
    yield json_message(f"{_PREFIX}/cameras/{level(terminal.terminal_id)}", camera)
