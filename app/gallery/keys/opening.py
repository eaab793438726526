"""The keys of keys, as the settings describe them."""

from app.gallery.keys.pair_secrets import PairSecrets, pair_secrets
from app.gallery.keys.settings_keys import SettingsKeys
from app.gallery.vault.vault import Vault
from app.settings import Settings


def pair_secrets_of(settings: Settings, vault: Vault) -> PairSecrets:
    """What seals the secrets of pairs. A key is read, or made, when it is needed."""
    key = settings.keys_key
    return pair_secrets(vault, None if key is None else key.get_secret_value(), settings.data_dir)


def settings_keys_of(settings: Settings) -> SettingsKeys:
    """The keys of the settings and their file. Raises SettingUnusable."""
    keys = [key.get_secret_value() for key in settings.api_keys]
    return SettingsKeys(keys, settings.api_keys_file)
