"""The settings of the demo, which come from this file alone."""

import secrets
from base64 import b64encode
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.settings import LogSettings, Settings

_KEY_BYTES = 32


class _GivenSettings(Settings):
    """Settings that read neither the environment nor a file: those could name a real gallery."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (pydantic gives it)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo_settings(folder: Path, *, host: str, port: int) -> Settings:
    """Return the defaults, with `folder` for all data and a key for crops that is stored nowhere.

    Only warnings are logged: users of the demo read what it prints.
    """
    key = b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")
    return _GivenSettings(
        host=host,
        port=port,
        data_dir=folder,
        crops_key=SecretStr(key),
        log=LogSettings(level="warning", format="console"),
    )
