"""Webhooks on both databases, with a real receiver: what is sent, again, and by which secret."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.errors import WebhookSecretSealed
from app.gallery.delivery.delivery_records import Settled, Waiting
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.delivery.target_store import TargetStore
from app.gallery.delivery.webhook_records import NewWebhook, Secrets, WebhookChanges
from app.gallery.gallery import Gallery
from app.gallery.journal.events import Events
from app.gallery.journal.reads import ReadLog
from app.gallery.records import IdentityChanges, NewIdentity
from app.gallery.store.tables import WebhookTable
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.vault import Vault
from app.gallery.vault.wrapped_texts import WrappedAnew
from app.services.delivery.webhooks.webhook_targets import WebhookSource
from app.settings import WebhookSettings
from tests.gallery.delivery.recording_target import delivering_from
from tests.gallery.factories import COLLECTION, eventually
from tests.kit.webhook_receiver import Receiver, receiving

SETTINGS = WebhookSettings(
    http=True, networks=("127.0.0.0/8",), timeout_s=5, first_retry_s=0.05, give_up_s=1
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def _source(gallery: Gallery, settings: WebhookSettings = SETTINGS) -> WebhookSource:
    database = gallery.store.database
    return WebhookSource(GalleryWebhooks(database), settings, gallery.people.get, ReadLog(database))


def _add(gallery: Gallery, receiver: Receiver, **fields: object) -> str:
    new = replace(NewWebhook("a", receiver.url), **fields)  # type: ignore[arg-type]
    issued = GalleryWebhooks(gallery.store.database).add(new)
    receiver.secret = issued.secret
    return issued.webhook.id


def _enroll(gallery: Gallery, name: str) -> str:
    identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(name=name, external_id="e-1"), [])
    return identity.id


def _wait(receiver: Receiver, count: int) -> None:
    receiver.wait_until(lambda so_far: len(so_far.taken) >= count)
    assert receiver.wrong == []


def test_names_are_sent_where_they_are_asked_for_and_none_of_the_erased(
    gallery: Gallery, receiver: Receiver
) -> None:
    _add(gallery, receiver, with_names=True)
    with delivering_from(gallery, _source(gallery)) as events:
        ada = _enroll(gallery, "Ada")
        events.follow()
        _wait(receiver, 1)
        gallery.people.delete(COLLECTION, ada)
        events.follow()
        _wait(receiver, 2)
    created, erased = receiver.taken
    assert created.data["identity_id"] == erased.data["identity_id"] == ada
    assert (created.data["name"], created.data["external_id"]) == ("Ada", "e-1")
    assert "name" not in erased.data


def test_events_are_sent_again_from_a_position_and_of_dead_letters(
    gallery: Gallery, receiver: Receiver
) -> None:
    webhook_id = _add(gallery, receiver, types=("identity.created", "identity.changed"))
    webhooks = GalleryWebhooks(gallery.store.database)
    start = webhooks.get(webhook_id).state.position
    with delivering_from(gallery, _source(gallery)) as events:
        ada = _enroll(gallery, "Ada")
        events.follow()
        _wait(receiver, 1)
        receiver.answer = lambda message, _: 500 if message.type == "identity.changed" else 200
        gallery.people.update(COLLECTION, ada, IdentityChanges(name="A"))
        events.follow()
        eventually(lambda: webhooks.get(webhook_id).dead_count == 1)
        (dead,) = webhooks.dead(webhook_id, limit=10, cursor=None).items
        assert dead.attempts > 1
        receiver.answer = lambda _message, _before: 200
        webhooks.deliver_again(webhook_id, dead.event.position)
        events.follow()
        _wait(receiver, 2)
        eventually(lambda: webhooks.get(webhook_id).state.delivered_count == 2)
        assert webhooks.get(webhook_id).dead_count == 0
        webhooks.replay(webhook_id, after=start)
        events.follow()
        _wait(receiver, 4)
    assert [message.id for message in receiver.taken[:2]] == [
        message.id for message in receiver.taken[2:]
    ]
    attempts = webhooks.deliveries(webhook_id, limit=100).attempts
    assert {attempt.status for attempt in attempts} == {200, 500}


def test_types_that_are_added_begin_from_then_on(gallery: Gallery, receiver: Receiver) -> None:
    webhook_id = _add(gallery, receiver, types=("identity.erased",))
    ada = _enroll(gallery, "Ada")
    Events(gallery.store.database).follow()
    webhooks = GalleryWebhooks(gallery.store.database)
    webhooks.change(webhook_id, WebhookChanges({"types": None}))
    gallery.people.update(COLLECTION, ada, IdentityChanges(name="A"))
    with delivering_from(gallery, _source(gallery)):
        _wait(receiver, 1)
    assert [message.type for message in receiver.taken] == ["identity.changed"]


def test_events_that_are_not_for_a_webhook_do_not_count_as_missed(
    gallery: Gallery, receiver: Receiver
) -> None:
    webhook_id = _add(gallery, receiver, types=("identity.erased",))
    webhooks = GalleryWebhooks(gallery.store.database)
    before = webhooks.get(webhook_id).state.position
    with delivering_from(gallery, _source(gallery)) as events:
        _enroll(gallery, "Ada")
        events.follow()
        eventually(lambda: webhooks.get(webhook_id).state.position > before)
    assert receiver.came == []


def _texts(gallery: Gallery) -> list[str]:
    with gallery.store.database.reading() as session:
        row = session.execute(select(WebhookTable.secret, WebhookTable.former_secret)).one()
    return [text for text in row if text is not None]


def test_what_waits_of_other_collections_is_dropped_when_a_webhook_gets_them_no_more(
    gallery: Gallery, receiver: Receiver
) -> None:
    """Else a key of the collections that are left would see it, and send it where it likes."""
    gallery.collections.create("gate", None)
    webhook_id = _add(gallery, receiver, types=("identity.created",))
    webhooks = GalleryWebhooks(gallery.store.database)
    store = TargetStore(gallery.store.database)
    _enroll(gallery, "Ada")
    gallery.people.enroll("gate", NewIdentity(name="Grace"), [])
    Events(gallery.store.database).follow()
    turn = store.take(webhook_id, "a", lease_s=60, types=None, collections=None, most_failing=10)
    assert turn is not None
    now = turn.now
    failed = [
        Waiting(event, (event.id,), 1, now, now, "answered 500", None) for event in turn.events
    ]
    own, foreign = (
        next(one for one in failed if one.event.collection == name and one.event.identity_id)
        for name in (COLLECTION, "gate")
    )
    dead = replace(foreign, due_at=None, dead_at=now)
    settled = Settled(turn.position, [own, dead], [], [], 0, None, None, None)
    assert store.settle(webhook_id, "a", settled)
    assert store.take(webhook_id, "a", lease_s=60, types=None, collections=None, most_failing=10)
    changed = webhooks.change(webhook_id, WebhookChanges({"collections": [COLLECTION]}))
    assert changed.is_within([COLLECTION])
    assert (changed.waiting_count, changed.dead_count) == (1, 0)
    # A process that had events in hand meanwhile does not bring them back.
    assert not store.settle(webhook_id, "a", settled)
    assert webhooks.dead(webhook_id, limit=10, cursor=None).items == ()


def test_secrets_are_sealed_by_the_master_key_of_the_moment(
    gallery: Gallery, receiver: Receiver
) -> None:
    database = gallery.store.database
    webhook_id = _add(gallery, receiver)
    webhooks = GalleryWebhooks(database)
    first = receiver.secret
    assert _texts(gallery) == [first]
    former, current = MasterKey(b"1" * 32), MasterKey(b"2" * 32)
    for masters in ((former,), (current, former), (current,)):
        database.vault = Vault(database, partial(tuple, masters), is_on=True)
        webhooks.seal_secrets()
        assert "whsec_" not in str(_texts(gallery))
        assert masters[0].id in _texts(gallery)[0]
        ((_, secrets),) = webhooks.signing()
        assert secrets.current == first
    assert webhooks.seal_secrets() == WrappedAnew(0, ())
    receiver.secret = webhooks.rotate(webhook_id, overlap_s=60).secret
    assert "whsec_" not in str(_texts(gallery))
    with delivering_from(gallery, _source(gallery)) as events:
        _enroll(gallery, "Ada")
        events.follow()
        _wait(receiver, 1)
    database.vault = Vault(database)
    with pytest.raises(WebhookSecretSealed):
        webhooks.secrets(webhook_id)
    assert webhooks.signing() == []


def test_secret_that_does_not_open_keeps_no_other_from_being_sealed(
    gallery: Gallery, receiver: Receiver
) -> None:
    database = gallery.store.database
    webhooks = GalleryWebhooks(database)
    lost, current = MasterKey(b"1" * 32), MasterKey(b"2" * 32)
    database.vault = Vault(database, partial(tuple, [lost]), is_on=True)
    unreadable = _add(gallery, receiver)
    database.vault = Vault(database)
    later = _add(gallery, receiver)
    database.vault = Vault(database, partial(tuple, [current]), is_on=True)
    assert webhooks.seal_secrets() == WrappedAnew(1, (unreadable,))
    with database.reading() as session:
        kept = session.scalar(select(WebhookTable.secret).where(WebhookTable.id == later))
    assert kept is not None
    assert current.id in kept
    assert webhooks.secrets(later).current == receiver.secret
    with capture_logs() as lines:
        assert [one.id for one, _ in webhooks.signing() + webhooks.signing()] == [later, later]
    assert [(one["event"], one["webhook"]) for one in lines] == [
        ("webhook_secret_sealed", unreadable)
    ]
    assert webhooks.seal_secrets() == WrappedAnew(0, (unreadable,))
    # The remedy: the lost secret does not sign for a while beside the new one.
    new = webhooks.rotate(unreadable, overlap_s=60).secret
    assert webhooks.secrets(unreadable) == Secrets(new, None)
    assert webhooks.seal_secrets() == WrappedAnew(0, ())
