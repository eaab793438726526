"""What goes on for a while is one event a minute, in all processes together."""

from datetime import timedelta
from functools import partial

import pytest

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.journal.event_records import Event
from app.gallery.journal.events import Events
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.search import gallery_search
from app.gallery.store.repositories import recent_event_repository
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.tables import RecentEventTable
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, at_once, enroll, unit_vector
from tests.gallery.unknowns.inboxes import THRESHOLD, nearby, new_inbox, sighting, wants_unknowns

_PROCESSES = 3
_TURNS = 4


def _events(gallery: Gallery, *types: str) -> list[Event]:
    events = Events(gallery.store.database)
    events.follow()
    return events.after(0, types=types, collections=None, limit=1_000)[0]


def test_a_person_at_a_terminal_is_one_event_whichever_process_answers(
    open_gallery: OpenGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    galleries = [open_gallery() for _ in range(_PROCESSES)]
    people = [enroll(galleries[0], unit_vector(seed))[0].id for seed in (1, 2)]

    def pass_by(gallery: Gallery) -> None:
        for turn in range(_TURNS):  # they take turns before the camera
            who = people[turn % 2]
            gallery.search.remember(COLLECTION, "door", [who], most=9, similarities={who: 0.8})
        gallery.search.remember(COLLECTION, "gate", people, most=9)

    def matches() -> list[tuple[str | None, object]]:
        found = _events(galleries[0], "person.matched")
        return sorted((one.identity_id, one.data["terminal_id"]) for one in found)

    at_once([partial(pass_by, gallery) for gallery in galleries])
    each = sorted((who, terminal) for who in people for terminal in ("door", "gate"))
    assert matches() == each
    assert {one.data["similarity"] for one in _events(galleries[0], "person.matched")} == {
        0.8,
        None,
    }
    monkeypatch.setattr(gallery_search, "_SAME_VISIT", timedelta(0))
    galleries[1].search.remember(COLLECTION, "door", [people[0]], most=9)
    assert matches() == sorted([*each, (people[0], "door")])


def test_a_stranger_at_a_terminal_is_one_event_and_each_sighting_has_a_line(
    open_gallery: OpenGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    galleries = [open_gallery() for _ in range(_PROCESSES)]
    inboxes = [new_inbox(gallery.store.database, gallery) for gallery in galleries]
    wants_unknowns(galleries[0])
    face = unit_vector(1)

    def see(process: int, terminal_id: str, seed: int) -> None:
        seen = sighting(nearby(face, 0.97, seed=seed), terminal_id=terminal_id)
        inboxes[process].keep(COLLECTION, [seen], THRESHOLD)

    def types() -> list[tuple[str, object]]:
        found = _events(galleries[0], "unknown.seen", "unknown.again")
        return [(one.type, one.data["terminal_id"]) for one in found]

    def stay(process: int) -> None:
        for turn in range(_TURNS):
            see(process, "door", 10 * process + turn)

    at_once([partial(stay, process) for process in range(_PROCESSES)])
    assert types() == [("unknown.seen", "door")]
    see(1, "gate", 50)
    see(2, "gate", 51)
    assert types() == [("unknown.seen", "door"), ("unknown.again", "gate")]
    monkeypatch.setattr(recent_event_repository, "AGAIN_AFTER", timedelta(0))
    see(0, "door", 52)
    assert types()[2:] == [("unknown.again", "door")]
    with galleries[0].store.reading_all() as collections:
        lines = collections.audit.page(LineFilter(), before=None, limit=100)
    counted = [line for _, line in lines if line.action == Action.UNKNOWN_COUNTED]
    assert len(counted) == _PROCESSES * _TURNS - 1 + 1


def test_a_photo_that_is_sent_again_is_no_news(gallery: Gallery) -> None:
    inbox = new_inbox(gallery.store.database, gallery)
    wants_unknowns(gallery)
    for terminal_id in (None, None, "door"):
        seen = sighting(unit_vector(1), photo="ab" * 32, terminal_id=terminal_id)
        inbox.keep(COLLECTION, [seen], THRESHOLD)
    (event,) = _events(gallery, "unknown.seen", "unknown.again")
    assert event.type == "unknown.seen"


def test_a_refused_face_is_an_event_by_its_reasons_alone(open_gallery: OpenGallery) -> None:
    galleries = [open_gallery() for _ in range(2)]
    logs = [QualityRejections(gallery.store.database) for gallery in galleries]
    for log in logs:
        for _ in range(_TURNS):
            log.note(COLLECTION, ["small_face", "low_sharpness"], operation="identify")
            log.note(COLLECTION, ["small_face"], operation="identify", terminal_id="door")
        log.note("gone", ["small_face"], operation="enroll")
    at_once([log.flush for log in logs])
    found = _events(galleries[0], "quality.rejected")
    assert sorted(str(one.data["terminal_id"]) for one in found) == ["None", "door"]
    (whole,) = [one for one in found if one.data["terminal_id"] is None]
    assert (whole.collection, whole.identity_id) == (COLLECTION, None)
    assert whole.data["reasons"] == ["low_sharpness", "small_face"]
    assert [log.flush() for log in logs] == [0, 0]


def test_what_no_event_waits_for_is_forgotten(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejections = QualityRejections(gallery.store.database)
    rejections.note(COLLECTION, ["small_face"], operation="enroll")
    assert rejections.flush() == 1

    def kept() -> int:
        gallery.people.erase_expired(log_revisions=100)
        with gallery.store.database.reading() as session:
            return session.query(RecentEventTable).count()

    assert kept() == 1
    monkeypatch.setattr(recent_event_repository, "AGAIN_AFTER", timedelta(0))
    assert kept() == 0
