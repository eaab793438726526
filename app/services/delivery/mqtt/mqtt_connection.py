"""The connection of this process to a broker, by paho: the one file that imports it.

Raises StartupError on import when the package is missing.
"""

import ssl
import sys
from collections.abc import Callable, Sequence
from secrets import token_hex
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import structlog

from app.errors import StartupError
from app.observe.metrics import Metrics
from app.services.delivery.mqtt.message import Message
from app.settings import MqttSettings

try:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError as error:
    raise StartupError(
        "VULTUS_MQTT__URL is set, but the client of MQTT is not installed; run: pip install "
        "'vultus[mqtt]'"
    ) from error

_TLS_SCHEME = "mqtts"
_PORTS = {"mqtt": 1883, _TLS_SCHEME: 8883}
_KEEPALIVE_S = 30
_RETRY_S = (1, 30)
_TAKEN_WITHIN_S = 5.0

_log = structlog.get_logger(__name__)


class BrokerAway(Exception):
    """The broker is not connected, or did not take a message in time."""


class MqttConnection:
    """Connects in a thread of its own, again and again until it is closed.

    `will` is published by the broker when this process is gone. `connected` is called in that
    thread after each connect, and `received` with what comes on `subscriptions`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        metrics: Metrics,
        *,
        will: Message,
        subscriptions: Sequence[str],
        connected: Callable[[], None],
        received: Callable[[str, str], None],
    ) -> None:
        assert settings.url is not None
        self._settings = settings
        self._metrics = metrics
        self._subscriptions = subscriptions
        self._connected = connected
        self._received = received
        self._is_up = Event()
        self._cause: str | None = None
        """Why there is no connection, once that was logged."""
        self._open: tuple[tuple[Message, ...], list[MQTTMessageInfo]] = (), []
        """Messages that the broker has not confirmed."""
        # Processes with one id would end each other's connections.
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"{settings.client_id}-{token_hex(4)}"
        )
        self._address = urlsplit(settings.url)
        self._prepare(will)

    def start(self) -> None:
        """Connect when that is possible; does not block."""
        host, port = self._address.hostname, self._address.port
        assert host is not None
        self._client.connect_async(host, port or _PORTS[self._address.scheme], _KEEPALIVE_S)
        self._client.loop_start()

    @property
    def cause(self) -> str | None:
        """Return why there is no connection; None while there is one, and before the first try."""
        return self._cause

    @property
    def is_up(self) -> bool:
        return self._is_up.is_set()

    def send(self, message: Message) -> None:
        """Hand a message over, without waiting until the broker has it."""
        self._client.publish(message.topic, message.payload, self._settings.qos, message.retain)

    def publish(self, messages: Sequence[Message]) -> None:
        """Return once the broker has the messages. Blocks for seconds at most.

        Raises BrokerAway; then some may have been published. The same messages again wait for the
        answer to the first time: paho sends them once more when the broker is back.
        """
        if not self.is_up:
            raise BrokerAway(self._cause or "not connected")
        qos, key = self._settings.qos, tuple(messages)
        open_messages, sent = self._open
        if key != open_messages:
            sent = [self._client.publish(one.topic, one.payload, qos, one.retain) for one in key]
            self._open = key, sent
        for one in sent:
            try:
                one.wait_for_publish(_TAKEN_WITHIN_S)
            except (RuntimeError, ValueError) as error:  # paho did not take it
                self._open = (), []
                raise BrokerAway(str(error)) from error
            if not one.is_published():
                raise BrokerAway(f"no answer within {_TAKEN_WITHIN_S:g} s")
        self._open = (), []

    def close(self) -> None:
        """End the connection, in a second or so."""
        self._client.disconnect()
        self._client.loop_stop()
        self._metrics.mqtt_connected.set(0)

    # -- paho's thread calls these ---------------------------------------------------------------

    def _on_connect(
        self,
        client: Client,
        userdata: Any,  # noqa: ANN401, ARG002  (paho gives it)
        flags: ConnectFlags,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        if reason.is_failure:
            self._away(str(reason))
            return
        self._cause = None
        self._metrics.mqtt_connected.set(1)
        _log.info("mqtt_connected", broker=self._address.netloc)
        qos: int = self._settings.qos
        client.subscribe([(topic, qos) for topic in self._subscriptions])

    def _on_connect_fail(self, *_: object) -> None:
        # paho calls it where it handles the error, and does not pass it on.
        self._away(str(sys.exc_info()[1] or "no connection"))

    def _on_subscribe(self, *_: object) -> None:
        """Begin only now: what the broker holds comes first."""
        self._connected()
        self._is_up.set()

    def _on_disconnect(
        self,
        client: Client,  # noqa: ARG002
        userdata: Any,  # noqa: ANN401, ARG002
        flags: DisconnectFlags,  # noqa: ARG002
        reason: ReasonCode,
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        if reason.is_failure:
            self._away(str(reason))
        self._is_up.clear()

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:  # noqa: ANN401, ARG002
        self._received(message.topic, message.payload.decode("utf-8", "replace"))

    def _away(self, cause: str) -> None:
        self._is_up.clear()
        self._metrics.mqtt_connected.set(0)
        if cause != self._cause:  # once, and not at each attempt
            self._cause = cause
            _log.warning(
                "mqtt_away",
                broker=self._address.netloc,
                cause=cause,
                remedy="events wait until the broker is back; see VULTUS_MQTT__URL",
            )

    def _prepare(self, will: Message) -> None:
        client, settings = self._client, self._settings
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_connect_fail = self._on_connect_fail
        client.reconnect_delay_set(*_RETRY_S)
        client.will_set(will.topic, will.payload, settings.qos, will.retain)
        if settings.username is not None:
            client.username_pw_set(settings.username, _password(settings))
        if self._address.scheme == _TLS_SCHEME:
            client.tls_set_context(_tls_context(settings))


def _password(settings: MqttSettings) -> str | None:
    if settings.password is not None:
        return settings.password.get_secret_value()
    if settings.password_file is None:
        return None
    try:
        return settings.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"VULTUS_MQTT__PASSWORD_FILE, {settings.password_file}, cannot be read ({error})"
        ) from error


def _tls_context(settings: MqttSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.cert is not None:
            context.load_cert_chain(settings.cert, settings.key)
    except OSError as error:  # SSLError is one
        raise StartupError(
            "the certificates of VULTUS_MQTT__CA, __CERT or __KEY cannot be used "
            f"({error}); they are files in PEM, the key without a password"
        ) from error
    return context
