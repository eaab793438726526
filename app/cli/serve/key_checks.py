"""Checks that a start does not open the service by mistake."""

from contextlib import closing

from app.cli.configuration import unknown_settings
from app.errors import SettingUnusable
from app.settings import Settings

_KEYS = "VULTUS_API_KEYS"
_PROTECTING = {
    _KEYS: "keys",
    "VULTUS_MASTER_KEY": "a master key",
    "VULTUS_MASTER_KEY_FILE": "a master key",
    "VULTUS_MASTER_KEY_COMMAND": "a master key",
    "VULTUS_TLS__CERT": "a certificate",
    "VULTUS_TLS__KEY": "the key of a certificate",
    "VULTUS_TLS__CLIENT_CA": "client certificates",
}
"""Settings without which the service is more open, and what they are about."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_reached_by_others(address: str) -> bool:
    """Return whether other machines may reach a service that listens there."""
    return address not in _LOOPBACK


def demands_keys(settings: Settings) -> bool:
    """Return whether the service refuses callers without a key: that of a setting, or of `vultus
    keys`. Reads the database."""
    if settings.api_keys or settings.api_keys_file is not None:
        return True
    # Imported here: a process that only supervises others has no database in memory.
    from app.gallery.keys.gallery_keys import GalleryKeys  # noqa: PLC0415
    from app.gallery.store.database import Database  # noqa: PLC0415

    url = settings.resolved_database_url
    with closing(Database(url, timeout_s=settings.database.timeout_s)) as database:
        return GalleryKeys(database).are_there()


def _texts(settings: Settings) -> list[str]:
    """Return the keys of the settings. Raises SettingUnusable."""
    from app.gallery.keys.settings_keys import all_key_texts  # noqa: PLC0415

    own = [key.get_secret_value() for key in settings.api_keys]
    return all_key_texts(own, settings.api_keys_file)


def require_keys(settings: Settings, address: str) -> None:
    """Require that the service demands strong keys, or is meant to be open, where others reach it.

    Raises SettingUnusable, also for a variable that is spelt almost like a setting of keys or TLS.
    """
    for unknown in unknown_settings():
        if unknown.nearest in _PROTECTING:
            meant = _PROTECTING[unknown.nearest]
            raise SettingUnusable(
                f"{unknown.name} is no setting, and {meant} may have been meant by it",
                setting=unknown.nearest,
            )
    texts = _texts(settings)
    if not is_reached_by_others(address):
        return
    if not settings.open_to_all and not demands_keys(settings):
        raise SettingUnusable(
            f"other machines reach {address}, and no key is demanded of them; "
            "make one with vultus keys add, or set keys; VULTUS_OPEN_TO_ALL=true starts without",
            setting=_KEYS,
        )
    from app.gallery.keys.settings_keys import LEAST_LENGTH  # noqa: PLC0415  (as above)

    if any(len(key) < LEAST_LENGTH for key in texts):
        raise SettingUnusable(
            f"other machines reach {address}, and a key has fewer than {LEAST_LENGTH} characters",
            setting=_KEYS,
        )
