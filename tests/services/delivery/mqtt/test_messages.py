"""Topics and messages of events: safe names, and no news of what is long past."""

from datetime import UTC, datetime

import pytest

from app.gallery.journal.event_records import Event
from app.services.delivery.mqtt.double_take import double_take_messages
from app.services.delivery.mqtt.event_messages import EventMessages
from app.services.delivery.mqtt.topics import level, object_id
from app.settings import MqttSettings

_MESSAGES = EventMessages("vultus", retain=True)


def _event(kind: str, **data: object) -> Event:
    return Event(7, "1-7", kind, datetime.now(UTC), "staff", "ab" * 16, data)


def _topics(event: Event, *, is_news: bool = True) -> list[str]:
    return [message.topic for message in _MESSAGES.of(event, name=None, is_news=is_news)]


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "#",
        "+",
        "$SYS",
        "a\x00b",
        "100%",
        "\x1f",
        "\x85",
        "",
        "\ud800",
        "é" * 300,
        "%2F",
        "/",
        "a\ufffeb",
        "\uffff",
        "\ufdd0",
        "\U0001ffff",
        "\U0010fffe",
    ],
)
def test_any_name_is_one_level_of_a_topic(name: str) -> None:
    safe = level(name)
    assert safe
    assert not set(safe) & set("/#+$\x00\x1f\x85\ufffe\uffff\ufdd0\U0001ffff\U0010fffe")
    assert len(safe.encode("utf-8")) < 1_000


def test_names_stay_apart() -> None:
    names = ["a/b", "a%2Fb", "a#b", "a+b", "ab", "é" * 300, "é" * 301, "%", ""]
    assert len({level(name) for name in names}) == len(names)
    ids = [("a", "b"), ("a_b",), ("a", "_b"), ("a_", "b"), ("é",), ("è",), ("a.b",)]
    assert len({object_id(*one) for one in ids}) == len(ids)
    assert level("Ada Lovelace") == "Ada Lovelace"


def test_an_old_event_is_delivered_and_is_no_news() -> None:
    event = _event("person.matched", terminal_id="door")
    old, new = _topics(event, is_news=False), _topics(event)
    assert old == ["vultus/events/staff/person.matched", "vultus/terminals/staff/door/person"]
    assert set(new) - set(old) == {"vultus/terminals/staff/door/event"}


def test_only_states_are_retained() -> None:
    event = _event("unknown.seen", terminal_id="door", group_ids=["cd" * 16])
    found = _MESSAGES.of(event, name=None, is_news=True)
    retained = {message.topic for message in found if message.retain}
    assert retained == {"vultus/terminals/staff/door/unknown"}


def test_what_no_terminal_saw_is_an_event_alone() -> None:
    assert _topics(_event("identity.created")) == ["vultus/events/staff/identity.created"]
    assert _topics(_event("quality.rejected", terminal_id=None)) == [
        "vultus/events/staff/quality.rejected"
    ]
    assert not list(double_take_messages(_event("identity.created"), None))


def test_an_unknown_face_is_one_of_double_take() -> None:
    match, camera = double_take_messages(_event("unknown.again", terminal_id="door"), None)
    assert (match.topic, camera.topic) == (
        "double-take/matches/unknown",
        "double-take/cameras/door",
    )
    assert '"unknown":1' in camera.payload


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "mqtt://u:p@host", "mqtt://host/topic"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        MqttSettings(url=url)


@pytest.mark.parametrize("topic", ["", "a/", "/a", "a//b", "a/#", "+", "$SYS/a"])
def test_a_topic_that_is_none_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        MqttSettings(topic=topic)
