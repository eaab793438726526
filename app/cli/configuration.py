"""Read the settings. A file of its own, so that commands without networks import none."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.errors import StartupError
from app.settings import Settings


def load_settings() -> Settings:
    """Raises StartupError naming every variable that is wrong."""
    try:
        return Settings()
    except SettingsError as error:
        raise StartupError(
            f"{error}; a group's settings are named like VULTUS_DATABASE__TIMEOUT_S"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"VULTUS_{'__'.join(str(part) for part in entry['loc']).upper()}: {entry['msg']}"
            for entry in error.errors(include_url=False, include_input=False)
        )
        raise StartupError(wrong) from error
