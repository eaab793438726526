"""Make, list, change and remove webhooks, and deliver again. All methods block."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from urllib.parse import urlsplit

import structlog
from sqlalchemy.engine import RowMapping

from app.errors import EventNotKept, TooManyWebhooks, WebhookNotFound, WebhookSecretSealed
from app.gallery.delivery.delivery_records import Attempt, StoppedBecause, Waiting
from app.gallery.delivery.target_store import new_events, resume, state_of, waiting_of
from app.gallery.delivery.webhook_records import (
    IssuedWebhook,
    NewWebhook,
    Secrets,
    Webhook,
    WebhookChanges,
)
from app.gallery.delivery.webhook_secrets import is_kept_well, kept_text, new_secret, opened
from app.gallery.journal.actions import Action
from app.gallery.journal.events import Events
from app.gallery.records import Page
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.transaction import Collections
from app.gallery.vault.wrapped_texts import WrappedAnew
from app.observe.acting import actor

Within = Sequence[str] | None
"""Collections of the caller, who sees no webhook that gets events of others; None: all."""

MOST_WEBHOOKS = 50

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The last attempts of a webhook, newest first, and the events that wait, oldest first."""

    attempts: Sequence[Attempt]
    waiting: Sequence[Waiting]


class GalleryWebhooks:
    """The webhooks of a database, each method one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._events = Events(database)
        self._named_unreadable: set[str] = set()

    def add(self, new: NewWebhook) -> IssuedWebhook:
        """Make a webhook, which gets what happens from now on. Raises TooManyWebhooks."""
        secret, webhook_id = new_secret(), token_hex(6)
        self._events.follow()  # what is committed by now is not news
        with self._store.writing_all() as collections:
            if len(collections.webhooks.everything()) >= MOST_WEBHOOKS:
                raise TooManyWebhooks(f"there are {MOST_WEBHOOKS} webhooks, which is the most")
            targets = collections.targets
            targets.add_if_missing(webhook_id, collections.events.newest())
            collections.webhooks.add(
                webhook_id,
                new,
                secret=kept_text(self._database.vault, webhook_id, secret),
                now=targets.now(),
                by=actor().principal,
            )
            collections.note(
                Action.WEBHOOK_ADDED,
                None,
                webhook=webhook_id,
                host=_host(new.url),
                types=new.types,
                within=new.collections,
                with_names=new.with_names,
            )
            return IssuedWebhook(_get(collections, webhook_id), secret)

    @read_again
    def page(self, *, limit: int, cursor: str | None, within: Within = None) -> Page[Webhook]:
        """Return webhooks, oldest first."""
        after = decode_cursor(cursor)
        found = [one for one in self.everything() if one.number > after and one.is_within(within)]
        numbers = [one.number for one in found]
        return Page(tuple(found[:limit]), next_cursor(numbers[: limit + 1], limit))

    @read_again
    def everything(self) -> list[Webhook]:
        with self._store.reading_all() as collections:
            return [_webhook(collections, row) for row in collections.webhooks.everything()]

    @read_again
    def get(self, webhook_id: str, *, within: Within = None) -> Webhook:
        """Raises WebhookNotFound."""
        with self._store.reading_all() as collections:
            return _get(collections, webhook_id, within)

    def change(self, webhook_id: str, changes: WebhookChanges, *, within: Within = None) -> Webhook:
        """Change a webhook. One that is enabled again goes on where it was. Raises
        WebhookNotFound."""
        with self._store.writing_all() as collections:
            before = _get(collections, webhook_id, within, lock=True)
            if {"types", "collections"} & set(changes.values):
                _pass_over(collections, before)
            collections.webhooks.set(webhook_id, changes.values)
            if {"types", "collections"} & set(changes.values):
                _drop_what_is_not_for(collections, _get(collections, webhook_id))
            if changes.enabled is False and before.state.stopped_because is None:
                collections.targets.set(webhook_id, stopped_because=StoppedBecause.ASKED.value)
            elif changes.enabled and before.state.stopped_because is not None:
                resume(collections, webhook_id)
            moved = {"host": _host(str(changes.values["url"]))} if "url" in changes.values else {}
            fields = sorted(changes.values) + ["enabled"] * (changes.enabled is not None)
            collections.note(
                Action.WEBHOOK_CHANGED,
                None,
                webhook=webhook_id,
                fields=fields,
                enabled=changes.enabled,
                **moved,
            )
            return _get(collections, webhook_id)

    def rotate(self, webhook_id: str, *, overlap_s: float, within: Within = None) -> IssuedWebhook:
        """Give a webhook another secret; for `overlap_s`, the former one signs as well,
        unless it does not open. Raises WebhookNotFound.
        """
        secret = new_secret()
        with self._store.writing_all() as collections:
            _get(collections, webhook_id, within, lock=True)
            row = collections.webhooks.find(webhook_id)
            assert row is not None
            until = collections.targets.now() + timedelta(seconds=overlap_s)
            kept = overlap_s > 0 and self._opens(row)
            collections.webhooks.set(
                webhook_id,
                {
                    "secret": kept_text(self._database.vault, webhook_id, secret),
                    "former_secret": row["secret"] if kept else None,
                    "former_until": until if kept else None,
                },
            )
            collections.note(Action.WEBHOOK_ROTATED, None, webhook=webhook_id)
            return IssuedWebhook(_get(collections, webhook_id), secret)

    def remove(self, webhook_id: str, *, within: Within = None) -> None:
        """Remove a webhook with all that waits for it. Raises WebhookNotFound."""
        with self._store.writing_all() as collections:
            _get(collections, webhook_id, within, lock=True)
            collections.targets.remove(webhook_id)  # and with it the webhook
            collections.note(Action.WEBHOOK_REMOVED, None, webhook=webhook_id)

    def note_test(self, webhook_id: str, attempt: Attempt) -> None:
        """Keep the attempt of a test message."""
        with self._store.writing_all() as collections:
            _get(collections, webhook_id)
            collections.targets.add_attempts(webhook_id, [attempt])
            collections.note(
                Action.WEBHOOK_TESTED, None, webhook=webhook_id, delivered=attempt.error is None
            )

    @read_again
    def deliveries(self, webhook_id: str, *, limit: int, within: Within = None) -> Deliveries:
        """Raises WebhookNotFound."""
        with self._store.reading_all() as collections:
            _get(collections, webhook_id, within)
            targets = collections.targets
            waiting = targets.waiting(webhook_id, dead=False, limit=limit)
            return Deliveries(
                targets.attempts(webhook_id)[:limit], [waiting_of(row) for row in waiting]
            )

    @read_again
    def dead(
        self, webhook_id: str, *, limit: int, cursor: str | None, within: Within = None
    ) -> Page[Waiting]:
        """Return the events that were given up, oldest first. Raises WebhookNotFound."""
        with self._store.reading_all() as collections:
            _get(collections, webhook_id, within)
            rows = collections.targets.waiting(
                webhook_id, dead=True, above=decode_cursor(cursor), limit=limit + 1
            )
        found = [waiting_of(row) for row in rows]
        positions = [one.event.position for one in found]
        return Page(tuple(found[:limit]), next_cursor(positions, limit))

    def deliver_again(self, webhook_id: str, position: int, *, within: Within = None) -> Webhook:
        """Try an event again that was given up. Raises WebhookNotFound and EventNotKept."""
        with self._store.writing_all() as collections:
            _get(collections, webhook_id, within, lock=True)
            targets = collections.targets
            if not targets.revive(webhook_id, position, targets.now()):
                raise EventNotKept(
                    f"event {position} is not among those that webhook {webhook_id} gave up"
                )
            collections.note(Action.WEBHOOK_REPLAYED, None, webhook=webhook_id, position=position)
            return _get(collections, webhook_id)

    def replay(self, webhook_id: str, *, after: int, within: Within = None) -> Webhook:
        """Deliver all events above a position once more, or skip those up to it.

        Raises WebhookNotFound, and EventNotKept above the newest event.
        """
        with self._store.writing_all() as collections:
            _get(collections, webhook_id, within, lock=True)
            newest = collections.events.newest()
            if after > newest:
                raise EventNotKept(f"there is no event {after}; the newest one is {newest}")
            targets = collections.targets
            targets.drop_waiting_above(webhook_id, after)
            # Whichever process delivers now: what it has in hand is new again.
            targets.set(webhook_id, position=after, holder=None, held_until=None, paused_until=None)
            collections.note(Action.WEBHOOK_REPLAYED, None, webhook=webhook_id, after=after)
            return _get(collections, webhook_id)

    # -- what signs ------------------------------------------------------------------------------

    @read_again
    def signing(self) -> list[tuple[Webhook, Secrets]]:
        """Return those that get events, with their secrets.

        One whose secret does not open is left out, and named in the log once: others go on.
        """
        with self._store.reading_all() as collections:
            rows = collections.webhooks.everything()
            if not rows:
                return []
            now = collections.targets.now()
            webhooks = [(_webhook(collections, row), row) for row in rows]
        found = []
        for webhook, row in webhooks:
            if webhook.state.stopped_because is not None:
                continue
            try:
                found.append((webhook, self._secrets_in(row, now)))
            except WebhookSecretSealed:
                self._name_unreadable(webhook.id)
        return found

    def _name_unreadable(self, webhook_id: str) -> None:
        if webhook_id not in self._named_unreadable:
            self._named_unreadable.add(webhook_id)
            remedy = "run vultus webhooks rotate"
            _log.error("webhook_secret_sealed", webhook=webhook_id, remedy=remedy)

    @read_again
    def secrets(self, webhook_id: str) -> Secrets:
        """Return the secrets of one. Raises WebhookNotFound and WebhookSecretSealed."""
        with self._store.reading_all() as collections:
            row = collections.webhooks.find(webhook_id)
            now = collections.targets.now()
        if row is None:
            raise _not_found(webhook_id)
        return self._secrets_in(row, now)

    def _secrets_in(self, row: RowMapping, now: datetime) -> Secrets:
        vault = self._database.vault
        until, former = row["former_until"], row["former_secret"]
        signs_too = former is not None and until is not None and until > now
        return Secrets(
            opened(vault, row["id"], row["secret"]),
            opened(vault, row["id"], former) if signs_too else None,
        )

    def _opens(self, row: RowMapping) -> bool:
        try:
            opened(self._database.vault, row["id"], row["secret"])
        except WebhookSecretSealed:
            return False
        return True

    def seal_secrets(self) -> WrappedAnew:
        """Seal secrets by the master key of this moment, where there is one."""
        with self._store.reading_all() as collections:
            rows = collections.webhooks.everything()
        count, unreadable = 0, []
        for webhook_id in [row["id"] for row in rows if self._to_seal(row)]:
            try:
                count += self._seal(webhook_id)
            except WebhookSecretSealed:
                unreadable.append(webhook_id)
        return WrappedAnew(count, tuple(unreadable))

    def _seal(self, webhook_id: str) -> bool:
        """Return False where another process was quicker. Raises WebhookSecretSealed."""
        vault = self._database.vault
        with self._store.writing_all() as collections:
            row = collections.webhooks.find(webhook_id, lock=True)
            names = [] if row is None else self._to_seal(row)
            if row is None or not names:
                return False
            secrets = {name: opened(vault, webhook_id, row[name]) for name in names}
            values = {name: kept_text(vault, webhook_id, one) for name, one in secrets.items()}
            collections.webhooks.set(webhook_id, values)
            return True

    def _to_seal(self, row: RowMapping) -> list[str]:
        vault = self._database.vault
        columns = ("secret", "former_secret")
        return [name for name in columns if row[name] and not is_kept_well(vault, row[name])]


def _get(
    collections: Collections, webhook_id: str, within: Within = None, *, lock: bool = False
) -> Webhook:
    row = collections.webhooks.find(webhook_id, lock=lock)
    if row is None:
        raise _not_found(webhook_id)
    webhook = _webhook(collections, row)
    if not webhook.is_within(within):
        raise _not_found(webhook_id)
    return webhook


def _pass_over(collections: Collections, webhook: Webhook) -> None:
    """Leave out what happened so far and was not for a webhook, whatever it gets from now on."""
    position = webhook.state.position
    found, newest = new_events(collections, position, webhook.types, webhook.collections, limit=1)
    if not found:
        collections.targets.advance(webhook.id, position, newest)


def _drop_what_is_not_for(collections: Collections, webhook: Webhook) -> None:
    """Drop events that wait or were given up, and that a webhook gets no longer: keys that see it
    now may not see their collections, nor may its receiver."""
    targets = collections.targets
    kept = [one for dead in (False, True) for one in targets.waiting(webhook.id, dead=dead)]
    events = [waiting_of(one).event for one in kept]
    targets.drop_waiting(
        webhook.id, [event.position for event in events if not webhook.gets(event)]
    )
    # What a process has in hand would be kept again; it is new again instead.
    targets.set(webhook.id, holder=None, held_until=None)


def _host(url: str) -> str | None:
    """Return where a webhook sends, for the audit log; the rest of a URL may hold a secret."""
    return urlsplit(url).hostname


def _webhook(collections: Collections, row: RowMapping) -> Webhook:
    targets = collections.targets
    target = targets.find(row["id"])
    assert target is not None
    waiting, dead = targets.count_waiting(row["id"])
    return Webhook(
        number=row["number"],
        id=row["id"],
        name=row["name"],
        url=row["url"],
        collections=None if row["collections"] is None else tuple(row["collections"]),
        types=None if row["types"] is None else tuple(row["types"]),
        with_names=row["with_names"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        former_until=row["former_until"],
        state=state_of(target),
        waiting_count=waiting,
        dead_count=dead,
    )


def _not_found(webhook_id: str) -> WebhookNotFound:
    return WebhookNotFound(f"there is no webhook {webhook_id!r}")
