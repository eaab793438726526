"""The broker of the settings, if they name one."""

from collections.abc import Sequence

from app.errors import StartupError
from app.gallery.delivery.target_store import TargetStore
from app.gallery.gallery import Gallery
from app.observe.metrics import Metrics
from app.services.delivery.deliverer import TargetSource
from app.settings import Settings


def mqtt_sources(
    settings: Settings, gallery: Gallery, metrics: Metrics, store: TargetStore
) -> Sequence[TargetSource]:
    """Raises StartupError with the remedy, when the client or a file of it is missing."""
    mqtt = settings.mqtt
    if mqtt.url is None:
        return []
    if not settings.audit.enabled:
        raise StartupError(
            "VULTUS_MQTT__URL is set, and there are no events without the audit log; set "
            "VULTUS_AUDIT__ENABLED=true"
        )
    # Here, because the client of MQTT is an optional package.
    from app.services.delivery.mqtt.mqtt_connection import MqttConnection  # noqa: PLC0415
    from app.services.delivery.mqtt.mqtt_target import MqttSource, MqttTarget  # noqa: PLC0415

    def connect(target: MqttTarget) -> MqttConnection:
        return MqttConnection(
            mqtt,
            metrics,
            will=target.messages.status(online=False),
            subscriptions=[target.messages.status_topic, target.messages.people_topics],
            connected=target.on_connected,
            received=target.on_message,
        )

    return [MqttSource(MqttTarget(mqtt, gallery, connect), store)]
