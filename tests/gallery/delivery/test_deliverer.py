"""Events reach a target at least once and in order for each subject, whatever fails."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.gallery.delivery.delivery_records import StoppedBecause, TargetState
from app.gallery.delivery.target_store import TargetStore
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.event_records import Event
from app.gallery.journal.events import Events
from app.gallery.records import IdentityChanges
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.repositories.event_repository import EventRepository
from app.gallery.store.tables import AuditLineTable
from app.services.delivery.event_target import DELIVERED, Outcome
from tests.gallery.conftest import OpenGallery
from tests.gallery.delivery.recording_target import LEASE_S, NAME, QUICK, Recorder, delivering
from tests.gallery.factories import COLLECTION, enroll, eventually, unit_vector
from tests.gallery.journal.required_lines import AUDIT_KEY

FAILED = Outcome("answered 500", status=500)


def _change(gallery: Gallery, identity_id: str, name: str) -> None:
    gallery.people.update(COLLECTION, identity_id, IdentityChanges(name=name))


def _store(gallery: Gallery) -> TargetStore:
    return TargetStore(gallery.store.database)


def test_an_event_that_fails_holds_back_its_person_alone(gallery: Gallery) -> None:
    target = Recorder()
    held: list[Event] = []

    def answer(event: Event, before: int) -> Outcome:
        if not held:
            held.append(event)
        return FAILED if event in held and before < 3 else DELIVERED

    target.answer = answer
    with delivering(gallery, target) as events:
        ada, _ = enroll(gallery, unit_vector(1))
        _change(gallery, ada.id, "Ada")
        grace, _ = enroll(gallery, unit_vector(2))
        events.follow()
        taken = target.wait_for(3)
    assert [event.identity_id for event in taken] == [grace.id, ada.id, ada.id]
    assert [event.type for event in taken[1:]] == ["identity.created", "identity.changed"]
    assert target.came.count(held[0]) == 4


def test_what_is_given_up_is_kept_and_holds_nothing_back(gallery: Gallery) -> None:
    target = Recorder(rules=replace(QUICK, give_up_s=0))
    target.answer = lambda event, _: FAILED if event.type == "identity.created" else DELIVERED
    with delivering(gallery, target) as events:
        ada, _ = enroll(gallery, unit_vector(1))
        _change(gallery, ada.id, "Ada")
        events.follow()
        target.wait_for(1)
        store = _store(gallery)
        eventually(lambda: bool(store.dead(NAME)))
        (dead,) = store.dead(NAME)
        assert (dead.event.type, dead.error, dead.attempts) == (
            "identity.created",
            "answered 500",
            1,
        )
        target.answer = lambda _event, _before: DELIVERED
        assert store.revive(NAME, dead.event.position)
        gallery.collections.create("news", None)  # a line of the audit log wakes
        events.follow()
        target.wait_for(3)
    assert not store.dead(NAME)
    assert set(target.types_taken()) == {
        "identity.changed",
        "identity.created",
        "collection.created",
    }


def test_one_process_delivers_and_another_takes_over_from_one_that_is_killed(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery()
    store = _store(gallery)
    target = Recorder()
    Events(gallery.store.database).follow()
    store.begin(NAME)
    enroll(gallery, unit_vector(1))
    Events(gallery.store.database).follow()
    taken = store.take(
        NAME, "killed", lease_s=LEASE_S, types=None, collections=None, most_failing=20
    )
    assert taken is not None
    assert len(taken.events) == 1
    other = store.take(
        NAME, "other", lease_s=LEASE_S, types=None, collections=None, most_failing=20
    )
    assert other is None
    with delivering(open_gallery(), target):
        target.wait_for(1)  # once the lease of the killed one has ended
    assert target.taken == list(taken.events)


def test_a_lease_of_a_clock_that_was_wrong_holds_nobody_up(gallery: Gallery) -> None:
    store = _store(gallery)
    store.begin(NAME)
    assert store.take(NAME, "a", lease_s=3_600, types=None, collections=None, most_failing=1)
    assert store.take(NAME, "b", lease_s=5, types=None, collections=None, most_failing=1)


def test_a_target_that_is_gone_is_stopped_and_goes_on_where_it_was(gallery: Gallery) -> None:
    target = Recorder(lambda _event, _before: Outcome("answered 410", 410, is_gone=True))
    with delivering(gallery, target) as events:
        enroll(gallery, unit_vector(1))
        events.follow()
        store = _store(gallery)
        eventually(lambda: _state(store).stopped_because is StoppedBecause.GONE)
        enroll(gallery, unit_vector(2))
        events.follow()
        target.answer = lambda _event, _before: DELIVERED
        store.resume(NAME)
        events.follow()
        enroll(gallery, unit_vector(3))
        events.follow()
        assert len(target.wait_for(3)) == 3
    assert [event.position for event in target.taken] == sorted(
        event.position for event in target.taken
    )
    (line,) = (
        AuditLog(gallery.store.database, lambda: AUDIT_KEY)
        .page(LineFilter(action=Action.DELIVERY_STOPPED), limit=10, cursor=None)
        .items
    )
    assert line.details == '{"target":"recorder","why":"gone"}'


def test_a_target_that_takes_nothing_for_days_is_stopped(gallery: Gallery) -> None:
    target = Recorder(lambda _event, _before: FAILED, rules=replace(QUICK, stop_after_s=0.1))
    with delivering(gallery, target) as events:
        enroll(gallery, unit_vector(1))
        events.follow()
        store = _store(gallery)
        eventually(lambda: _state(store).stopped_because is StoppedBecause.FAILING)
    assert _state(store).position > 0


def test_a_pause_that_is_asked_for_is_kept(gallery: Gallery) -> None:
    asked = Outcome("answered 429", 429, retry_after_s=3_600)
    target = Recorder(lambda _event, _before: asked)
    with delivering(gallery, target) as events:
        enroll(gallery, unit_vector(1))
        events.follow()
        target.wait_for_attempts(1)
        store = _store(gallery)
        eventually(lambda: _state(store).paused_until is not None)
        enroll(gallery, unit_vector(2))
        events.follow()
    assert len(target.came) == 1


class _Hanging(Recorder):
    async def deliver(self, event: Event) -> Outcome:
        await super().deliver(event)
        await asyncio.Event().wait()
        return DELIVERED


def test_a_stop_ends_attempts_that_hang_and_loses_none(gallery: Gallery) -> None:
    target = _Hanging()
    with delivering(gallery, target) as events:
        enroll(gallery, unit_vector(1))
        events.follow()
        target.wait_for_attempts(1)
    turn = _store(gallery).take(
        NAME, "next", lease_s=5, types=None, collections=None, most_failing=1
    )
    assert turn is not None
    assert [(one.event.id, one.attempts) for one in turn.waiting] == [(target.came[0].id, 0)]


def test_with_one_that_may_fail_all_are_in_order(gallery: Gallery) -> None:
    target = Recorder(rules=replace(QUICK, most_failing=1, at_once=1))
    target.answer = lambda _event, before: FAILED if before < 2 else DELIVERED
    with delivering(gallery, target) as events:
        people = [enroll(gallery, unit_vector(number))[0].id for number in range(4)]
        events.follow()
        taken = target.wait_for(4)
    assert [event.identity_id for event in taken] == people


def test_a_target_that_was_full_catches_up(gallery: Gallery) -> None:
    works = False
    target = Recorder(rules=replace(QUICK, most_failing=3))
    target.answer = lambda _event, _before: DELIVERED if works else FAILED
    with delivering(gallery, target) as events:
        people = [enroll(gallery, unit_vector(number))[0].id for number in range(12)]
        events.follow()
        target.wait_for_attempts(9)
        assert len({event.id for event in target.came}) <= 3 + target.rules.at_once
        works = True
        taken = target.wait_for(12)
    assert sorted(str(event.identity_id) for event in taken) == sorted(people)


def test_only_events_that_are_wanted_come(gallery: Gallery) -> None:
    target = Recorder(types=["identity.erased"], collections=[COLLECTION])
    with delivering(gallery, target) as events:
        gallery.collections.create("elsewhere", None)
        identity, _ = enroll(gallery, unit_vector(1))
        gallery.people.delete(COLLECTION, identity.id)
        events.follow()
        target.wait_for(1)
    assert target.types_taken() == ["identity.erased"]


@pytest.mark.parametrize(("days", "is_kept"), [(3, True), (9, False)])
def test_lines_are_kept_for_a_target_that_is_behind_but_not_for_ever(
    gallery: Gallery, days: int, is_kept: bool
) -> None:
    store, log = _store(gallery), AuditLog(gallery.store.database, lambda: AUDIT_KEY)
    events = Events(gallery.store.database)
    events.follow()
    store.begin(NAME)
    enroll(gallery, unit_vector(1))
    events.follow()
    with gallery.store.database.writing() as session:
        for line in session.query(AuditLineTable):
            line.at -= timedelta(days=days)
    log.prune(kept_s=3_600)
    turn = store.take(NAME, "a", lease_s=5, types=None, collections=None, most_failing=1)
    assert turn is not None
    assert len(turn.events) == int(is_kept)
    assert turn.state.missed_count == int(not is_kept)


def _state(store: TargetStore) -> TargetState:
    state = store.state(NAME)
    assert state is not None
    return state


def test_events_that_are_committed_while_a_target_looks_come_once(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, the second query of a transaction may see more than the first."""
    store = _store(gallery)
    store.begin(NAME)
    enroll(gallery, unit_vector(1))
    Events(gallery.store.database).follow()
    monkeypatch.setattr(EventRepository, "newest", lambda _: 0)
    turn = store.take(NAME, "a", lease_s=60, types=None, collections=None, most_failing=1)
    assert turn is not None
    assert turn.events
    assert turn.position == turn.events[-1].position
