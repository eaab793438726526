"""The broker of the settings, as the one target of its kind."""

from collections.abc import Sequence

from app.gallery.delivery.target_store import TargetStore
from app.services.delivery.blocking_calls import blocking
from app.services.delivery.event_target import EventTarget
from app.services.delivery.mqtt.mqtt_target import MqttTarget


class MqttSource:
    """The target of the settings; it connects when it is first asked for."""

    def __init__(self, target: MqttTarget, store: TargetStore) -> None:
        self._target = target
        self._store = store
        self._is_started = False

    def targets(self) -> Sequence[EventTarget]:
        if not self._is_started:
            self._store.begin(self._target.name)
            self._target.connection.start()
            self._is_started = True
        return [self._target]

    async def close(self) -> None:
        if self._is_started:
            await blocking(self._target.end)
