"""A real MQTT broker, and a client that keeps what it receives."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLContext
from threading import Condition
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
WITHOUT_MOSQUITTO = "mosquitto is not installed"
_WITHIN_S = 60

_CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
"""


class Broker:
    """mosquitto on a free port; what it retains outlives `stop` and `start`."""

    def __init__(self, folder: Path, more: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        # As root, it would give its rights up, and could not write to the folder.
        user = "user root\n" if os.getuid() == 0 else ""
        self._file = folder / "mosquitto.conf"
        self._file.write_text(_CONFIGURATION.format(port=self.port, folder=folder) + user + more)
        self.start()

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._file])
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), _WITHIN_S).close()
            except ConnectionRefusedError:
                continue
            return
        raise AssertionError("mosquitto has ended")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(_WITHIN_S)


@contextmanager
def broker(folder: Path, more: str = "") -> Iterator[Broker]:
    one = Broker(folder, more)
    try:
        yield one
    finally:
        one.stop()


class Received(NamedTuple):
    topic: str
    payload: str
    retained: bool

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.payload)
        return document


class Listener:
    """Receives everything; connects again when the broker is back."""

    def __init__(self, port: int, tls: SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._news = Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def wait_for(self, topic: str, wanted: Callable[[Received], bool] = bool) -> Received:
        """Return the first message on a topic that is as wanted."""

        def find() -> Received | None:
            return next((m for m in self.received if m.topic == topic and wanted(m)), None)

        with self._news:
            found = self._news.wait_for(find, _WITHIN_S)
        assert found is not None, [(one.topic, one.payload) for one in self.received]
        return found

    def last(self, topic: str) -> Received:
        with self._news:
            return [one for one in self.received if one.topic == topic][-1]

    def publish(self, topic: str, payload: str) -> None:
        """Publish something that the broker retains."""
        self._client.publish(topic, payload, 1, retain=True)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._news:
            text = message.payload.decode("utf-8")
            self.received.append(Received(message.topic, text, message.retain))
            self._news.notify_all()
