"""The broker by TLS: its certificate is checked, and it gets the client's."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from app.errors import StartupError
from app.observe.metrics import Metrics
from app.services.delivery.mqtt.message import Message
from app.services.delivery.mqtt.mqtt_connection import BrokerAway, MqttConnection
from app.settings import MqttSettings
from tests.gallery.factories import eventually
from tests.kit.certificates import write_certificate
from tests.kit.mosquitto import MOSQUITTO, WITHOUT_MOSQUITTO, Broker, broker

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason=WITHOUT_MOSQUITTO)

_MESSAGE = Message("greeting", "hello")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def strict(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    cert, key = files
    asks = f"cafile {cert}\ncertfile {cert}\nkeyfile {key}\nrequire_certificate true\n"
    with broker(tmp_path_factory.mktemp("strict"), asks) as one:
        yield one


def _connection(settings: MqttSettings, came: Event) -> MqttConnection:
    return MqttConnection(
        settings,
        Metrics(),
        will=Message("status", "offline"),
        subscriptions=["status"],
        connected=came.set,
        received=lambda *_: None,
    )


def test_both_sides_show_a_certificate(files: tuple[Path, Path], strict: Broker) -> None:
    cert, key = files
    came = Event()
    url = f"mqtts://127.0.0.1:{strict.port}"
    connection = _connection(MqttSettings(url=url, ca=cert, cert=cert, key=key), came)
    connection.start()
    try:
        assert came.wait(30)
        eventually(lambda: connection.is_up)
        connection.publish([_MESSAGE])
    finally:
        connection.close()
    with pytest.raises(BrokerAway):
        connection.publish([_MESSAGE])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's socket
def test_a_broker_with_another_certificate_gets_nothing(strict: Broker, tmp_path: Path) -> None:
    other, key = write_certificate(tmp_path / "other")
    url = f"mqtts://127.0.0.1:{strict.port}"
    connection = _connection(MqttSettings(url=url, ca=other, cert=other, key=key), Event())
    connection.start()
    try:
        eventually(lambda: connection.cause is not None)
        with pytest.raises(BrokerAway, match="certificate verify failed"):
            connection.publish([_MESSAGE])
    finally:
        connection.close()


def test_files_that_are_missing_stop_the_start(tmp_path: Path) -> None:
    url = "mqtts://127.0.0.1:1"
    with pytest.raises(StartupError, match="VULTUS_MQTT__CA"):
        _connection(MqttSettings(url=url, ca=tmp_path / "none.pem"), Event())
    settings = MqttSettings(url=url, username="ada", password_file=tmp_path / "none")
    with pytest.raises(StartupError, match="VULTUS_MQTT__PASSWORD_FILE"):
        _connection(settings, Event())
