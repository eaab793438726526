"""Events: the changes of all processes, each once, in order, from any position on."""

from functools import partial

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.event_records import EVENTS, TYPES, Event
from app.gallery.journal.events import Events
from app.gallery.records import NewIdentity
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, at_once, enroll, unit_vector
from tests.gallery.journal.required_lines import AUDIT_KEY

_NAME = "Ada Lovelace"


def _all(events: Events, position: int = 0, **wanted: list[str] | None) -> list[Event]:
    """The events above a position, some at a time."""
    found: list[Event] = []
    types, collections = wanted.get("types"), wanted.get("collections")
    while True:
        some, position = events.after(position, types=types, collections=collections, limit=7)
        found += some
        if not some:
            return found


def _events(gallery: Gallery) -> Events:
    events = Events(gallery.store.database)
    events.follow()
    return events


def test_changes_are_events_in_order_and_without_names(gallery: Gallery) -> None:
    start = _events(gallery).newest
    identity, _ = enroll(gallery, unit_vector(1), name=_NAME)
    gallery.people.delete(COLLECTION, identity.id)
    events = _events(gallery)
    found = _all(events, start)
    assert [event.type for event in found] == ["identity.created", "identity.erased"]
    assert {event.identity_id for event in found} == {identity.id}
    assert _NAME not in str(found)
    assert events.newest == found[-1].position
    assert _all(events, found[0].position) == found[1:]
    assert _all(events, start, types=["identity.erased"]) == found[1:]
    assert _all(events, start, collections=["elsewhere"]) == []


def test_a_change_that_was_committed_is_an_event_whoever_looks(open_gallery: OpenGallery) -> None:
    galleries = [open_gallery() for _ in range(3)]
    galleries[0].collections.create("a", None)
    galleries[0].collections.create("b", None)
    start = _events(galleries[0]).newest
    followers = [Events(gallery.store.database) for gallery in galleries]

    def work(number: int) -> list[str]:
        ids = []
        for turn in range(6):
            name = ("a", "b")[(turn + number) % 2]
            identity, _ = galleries[number].people.enroll(name, NewIdentity(), [])
            ids.append(identity.id)
            followers[number].follow()
        return ids

    made = at_once([partial(work, number) for number in range(3)])
    followers[0].follow()
    found = _all(followers[0], start)
    wanted = [identity_id for ids in made if isinstance(ids, list) for identity_id in ids]
    assert sorted(str(event.identity_id) for event in found) == sorted(wanted)
    for name in ("a", "b"):
        sequences = [int(event.id.split("-")[1]) for event in found if event.collection == name]
        assert sequences == sorted(sequences)


def test_events_of_lines_that_are_pruned_are_gone_and_new_ones_go_on(gallery: Gallery) -> None:
    enroll(gallery, unit_vector(1))
    position = _events(gallery).newest
    assert position > 0
    AuditLog(gallery.store.database, lambda: AUDIT_KEY).prune(kept_s=0)
    assert _all(_events(gallery)) == []
    enroll(gallery, unit_vector(2))
    (event,) = _all(_events(gallery))
    assert event.position > position


def test_types_are_actions_that_exist() -> None:
    assert set(EVENTS) <= set(Action)
    assert {"identity.created", "person.matched", "unknown.again"} <= set(TYPES)
