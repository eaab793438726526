"""Checks that a start does not open the service by mistake."""

from app.cli.configuration import unknown_settings
from app.errors import SettingUnusable
from app.settings import Settings

_KEYS = "VULTUS_API_KEYS"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEAST_LENGTH = 16


def is_reached_by_others(address: str) -> bool:
    """Return whether other machines may reach a service that listens there."""
    return address not in _LOOPBACK


def require_keys(settings: Settings, address: str) -> None:
    """Require that the service demands strong keys, or is meant to be open, where others reach it.

    Raises SettingUnusable, also for a variable that is spelt almost like the setting of the keys.
    """
    for unknown in unknown_settings():
        if unknown.nearest == _KEYS:
            raise SettingUnusable(
                f"{unknown.name} is no setting, and keys may have been meant by it", setting=_KEYS
            )
    if not is_reached_by_others(address):
        return
    if not settings.api_keys and not settings.open_to_all:
        raise SettingUnusable(
            f"other machines reach {address}, and no key is demanded of them; "
            "VULTUS_OPEN_TO_ALL=true starts without keys",
            setting=_KEYS,
        )
    if any(len(key.get_secret_value()) < _LEAST_LENGTH for key in settings.api_keys):
        raise SettingUnusable(
            f"other machines reach {address}, and a key has fewer than {_LEAST_LENGTH} characters",
            setting=_KEYS,
        )
