"""The broker of the settings, if they name one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.errors import StartupError
from app.gallery.delivery.target_store import TargetStore
from app.gallery.journal.reads import ReadLog
from app.gallery.store.database import Database
from app.observe.metrics import Metrics
from app.services.delivery.deliverer import TargetSource
from app.services.delivery.webhooks.webhook_message import FindIdentity
from app.settings import MqttSettings, Settings

if TYPE_CHECKING:
    from app.services.delivery.mqtt.mqtt_target import MqttTarget


def mqtt_sources(
    settings: Settings, database: Database, find: FindIdentity, reads: ReadLog, metrics: Metrics
) -> Sequence[TargetSource]:
    """Raises StartupError with the remedy, when the client or a file of it is missing."""
    if settings.mqtt.url is None:
        return []
    if not settings.audit.enabled:
        raise StartupError(
            "VULTUS_MQTT__URL is set, and there are no events without the audit log; set "
            "VULTUS_AUDIT__ENABLED=true"
        )
    from app.services.delivery.mqtt.mqtt_source import MqttSource  # noqa: PLC0415  (see below)

    target = mqtt_target(settings.mqtt, find, reads, metrics)
    return [MqttSource(target, TargetStore(database))]


def mqtt_target(
    settings: MqttSettings, find: FindIdentity, reads: ReadLog, metrics: Metrics
) -> "MqttTarget":
    """Raises StartupError with the remedy."""
    # Here, because the client of MQTT is an optional package.
    from app.services.delivery.mqtt.mqtt_connection import MqttConnection  # noqa: PLC0415
    from app.services.delivery.mqtt.mqtt_target import MqttTarget  # noqa: PLC0415

    def connect(target: MqttTarget) -> MqttConnection:
        return MqttConnection(
            settings,
            metrics,
            will=target.messages.status(online=False),
            subscriptions=[target.messages.status_topic, target.messages.people_topics],
            connected=target.on_connected,
            received=target.on_message,
        )

    return MqttTarget(settings, find, reads, connect)
