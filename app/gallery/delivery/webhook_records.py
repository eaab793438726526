"""Records of webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.gallery.delivery.delivery_records import TargetState
from app.gallery.journal.event_records import Event


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a webhook is made with. `collections` and `types` None: all of them.

    With collections, it gets no events that belong to none.
    """

    name: str
    url: str
    collections: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    with_names: bool = False


@dataclass(frozen=True, slots=True)
class WebhookChanges:
    """What to change, by the names of `NewWebhook`; `enabled` None: stays as it is."""

    values: dict[str, object]
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook without its secret."""

    number: int
    id: str
    name: str
    url: str
    collections: tuple[str, ...] | None
    types: tuple[str, ...] | None
    with_names: bool
    """Messages about people also have their names and external ids."""
    created_at: datetime
    created_by: str
    former_until: datetime | None
    """Until then, messages are signed by the former secret, too."""
    state: TargetState
    waiting_count: int
    dead_count: int

    def gets(self, event: Event) -> bool:
        """Return whether an event is one of its types and collections."""
        if self.collections is not None and event.collection not in self.collections:
            return False
        return self.types is None or event.type in self.types

    def is_within(self, collections: Sequence[str] | None) -> bool:
        """Return whether it gets events of these collections alone; None: all collections."""
        if collections is None:
            return True
        return self.collections is not None and set(self.collections) <= set(collections)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret that signs, and the former one for as long as it signs, too."""

    current: str
    former: str | None


@dataclass(frozen=True, slots=True)
class IssuedWebhook:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str
