"""Read the settings. This file imports no networks, as some commands need none."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from getpass import getuser
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.errors import StartupError
from app.former_settings import former_names, opentelemetry, remedy_of
from app.observe.acting import Actor, act_as
from app.observe.logs import configure_logging
from app.settings import LogSettings, Settings

_PREFIX = "VULTUS_"


def settings_of_command() -> Settings:
    """Read the settings, and log warnings alone: users of a command read what it prints.

    Raises StartupError, as `load_settings` does.
    """
    settings = load_settings()
    configure_logging(LogSettings(level="warning", format="console"))
    act_as(Actor(f"cli:{_user()}"))
    return settings


def _user() -> str:
    """The user of the operating system who runs the command."""
    try:
        return getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        return str(os.getuid())


def load_settings() -> Settings:
    """Read the settings. Raises StartupError, which names every variable that is wrong."""
    try:
        return Settings()
    except SettingsError as error:
        raise StartupError(
            f"{error}; a group's settings are named like VULTUS_DATABASE__TIMEOUT_S"
        ) from error
    except ValidationError as error:
        wrong = [
            _wrong(
                f"{_PREFIX}{'__'.join(map(str, entry['loc'])).upper()}", entry["type"], entry["msg"]
            )
            for entry in error.errors(include_url=False, include_input=False)
        ]
        raise StartupError("; ".join(wrong)) from error


def _wrong(name: str, kind: str, message: str) -> str:
    if kind != "extra_forbidden":
        return f"{name}: {message.removeprefix('Value error, ')}"
    nearest = _nearest(name)
    return f"{name} is no setting" + (f"; did you mean {nearest}?" if nearest else "")


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable that begins like a setting and is none; `nearest` is the most similar setting."""

    name: str
    source: str
    nearest: str | None


def unknown_settings() -> Iterator[UnknownSetting]:
    """Find unknown settings in the environment, then in the file .env."""
    known = (*Settings.variables(), *Settings.groups())
    for source, variables in _sources():
        for name in sorted(variables):
            upper = name.upper()
            is_former = next(former_names({name: variables[name]}), None) is not None
            if upper.startswith(_PREFIX) and upper not in known and not is_former:
                yield UnknownSetting(name, source, _nearest(upper))


@dataclass(frozen=True, slots=True)
class FormerSetting:
    """A setting of an earlier version; `remedy` says what replaces it."""

    name: str
    source: str
    remedy: str


def former_settings() -> Iterator[FormerSetting]:
    """Find settings of earlier versions in the environment, then in the file .env."""
    for source, variables in _sources():
        for name in former_names(variables):
            yield FormerSetting(name, source, remedy_of(name) or "")


def export_opentelemetry() -> None:
    """Copy OpenTelemetry's variables from the file .env to the environment, for its SDK.

    Variables that follow from settings of an earlier version are added too. Those that the
    environment has already stay as they are.
    """
    for _, variables in _sources():
        for name, value in opentelemetry(variables).items():
            os.environ.setdefault(name, value)


def _nearest(name: str) -> str | None:
    found = get_close_matches(name, Settings.variables(), n=1, cutoff=0.75)
    return found[0] if found else None


def _sources() -> Iterator[tuple[str, dict[str, str | None]]]:
    yield "environment", dict(os.environ)
    file = Settings.model_config.get("env_file")
    if isinstance(file, str | Path) and Path(file).is_file():
        yield ".env", dotenv_values(file, encoding="utf-8-sig")
