"""The broker as a target of events, one after the other."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from app.gallery.journal.actions import Action
from app.gallery.journal.event_records import Event
from app.gallery.journal.reads import ReadLog
from app.observe.acting import Actor, acting
from app.services.delivery.blocking_calls import blocking
from app.services.delivery.event_target import DELIVERED, DeliveryRules, Outcome
from app.services.delivery.mqtt.double_take import double_take_messages
from app.services.delivery.mqtt.event_messages import (
    ERASED,
    MATCHED,
    EventMessages,
    Terminal,
    terminal_of,
)
from app.services.delivery.mqtt.home_assistant import HomeAssistant
from app.services.delivery.mqtt.message import Message
from app.services.delivery.mqtt.mqtt_connection import BrokerAway, MqttConnection
from app.services.delivery.webhooks.webhook_message import FindIdentity, find_or_none
from app.settings import MqttSettings

TARGET = "mqtt"
_NEWS_FOR = timedelta(seconds=60)
"""Events that are older are no news: a door must not open for who came when the broker was away."""
_FOREVER_S = 1e9
_RULES = DeliveryRules(
    at_once=1,
    most_failing=1,  # in one order: what fails holds back all that follows
    first_retry_s=1.0,
    most_retry_s=15.0,
    give_up_s=_FOREVER_S,
    stop_after_s=_FOREVER_S,
)


class MqttTarget:
    """Publishes each event, the states of terminals, and what Home Assistant must know of them."""

    name = TARGET
    types: Sequence[str] | None = None
    rules = _RULES

    def __init__(
        self,
        settings: MqttSettings,
        find: FindIdentity,
        reads: ReadLog,
        connect: Callable[["MqttTarget"], MqttConnection],
    ) -> None:
        self.collections: Sequence[str] | None = settings.collections or None
        self._settings = settings
        self._find = find
        self._reads = reads
        self.messages = EventMessages(settings.topic, settings.retain)
        self._home_assistant = (
            None
            if settings.home_assistant is None
            else HomeAssistant(settings.home_assistant, self.messages, settings.qos)
        )
        self._announced: set[Terminal] = set()
        self._states: dict[str, tuple[Terminal, str | None]] = {}
        """Whom the broker holds as the last person, by topic."""
        self._is_ending = False
        self.connection = connect(self)

    async def deliver(self, event: Event) -> Outcome:
        try:
            await blocking(self._publish, event)
        except BrokerAway as error:
            return Outcome(f"the broker is away: {error}")
        return DELIVERED

    def on_connected(self) -> None:
        """Say that the service is there. Called in the thread of the connection."""
        self.connection.send(self.messages.status(online=True))
        if self._home_assistant is not None:
            terminals, self._announced = self._announced, set()
            for message in (*self._home_assistant.service(), *self._announcements(terminals)):
                self.connection.send(message)

    def on_message(self, topic: str, payload: str) -> None:
        """Take over what the broker holds. Called in the thread of the connection."""
        if topic == self.messages.status_topic:
            if payload == "offline" and not self._is_ending:  # of another process, which has ended
                self.connection.send(self.messages.status(online=True))
            return
        # Any client of the broker may have written it: what has another form is passed over.
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            state = json.loads(payload)
            collection, terminal_id = state["collection"], state["terminal_id"]
            identity_id = state["identity_id"]
            if all(isinstance(one, str) for one in (collection, terminal_id, identity_id)):
                self._states[topic] = Terminal(collection, terminal_id), identity_id

    def is_held(self, topic: str) -> bool:
        """Return whether the broker is known to hold a person as the last one on a topic."""
        return topic in self._states

    def end(self) -> None:
        """Say that the service is gone, if no other process says otherwise. Blocks for seconds."""
        self._is_ending = True
        with suppress(BrokerAway):
            self.connection.publish([self.messages.status(online=False)])
        self.connection.close()

    def _publish(self, event: Event) -> None:
        name = self._name_of(event)
        is_news = datetime.now(UTC) - event.at < _NEWS_FOR
        messages = [*self._announcements(filter(None, [terminal_of(event)]))]
        messages += self.messages.of(event, name=name, is_news=is_news)
        messages += self._forgotten(event)
        if event.type == MATCHED and (terminal := terminal_of(event)) is not None:
            topic = self.messages.person_topic(terminal)
            self._states[topic] = terminal, event.identity_id
        if self._settings.double_take and is_news:
            messages += double_take_messages(event, name)
        self.connection.publish(messages)

    def _announcements(self, terminals: Iterable[Terminal]) -> Iterable[Message]:
        for terminal in terminals:
            if self._home_assistant is not None and terminal not in self._announced:
                self._announced.add(terminal)
                yield from self._home_assistant.terminal(terminal)

    def _forgotten(self, event: Event) -> Iterable[Message]:
        """Yield states without a person who was erased, alone or with all of a collection."""
        gone = {event.identity_id} if event.type in ERASED else set()
        whole = event.type == "collection.erased"
        for topic, (terminal, identity_id) in list(self._states.items()):
            is_here = terminal.collection == event.collection
            if is_here and identity_id is not None and (whole or identity_id in gone):
                yield self.messages.nobody(topic, terminal)

    def _name_of(self, event: Event) -> str | None:
        """Return the name of a person who was matched, where names are wanted. Blocks."""
        if not self._settings.names or event.type != MATCHED:
            return None
        identity = find_or_none(self._find, event)
        if identity is None:  # erased meanwhile
            return None
        with acting(Actor("mqtt")):
            self._reads.note(Action.IDENTITY_READ, event.collection, [identity.id])
        return identity.name
