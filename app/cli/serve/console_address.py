"""The address of the console, as a browser on this machine can open it."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from app.cli.output import print_line, results
from app.console import CONSOLE_PATH
from app.settings import Settings

OnReady = Callable[[int], None]
"""Called once with the port, when the service answers."""

_EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


def console_address(host: str, port: int, *, tls: bool) -> str:
    """Return the address of the console of a service that listens on `host`."""
    name = _EVERY_ADDRESS.get(host) or (f"[{host}]" if ":" in host else host)
    return f"{'https' if tls else 'http'}://{name}:{port}{CONSOLE_PATH}"


def announcing(settings: Settings, host: str, *, tls: bool) -> OnReady:
    """Return what ends a start: it prints the address, unless the console is off."""
    return partial(_print, host, tls=tls) if settings.console.enabled else _print_nothing


def _print(host: str, port: int, *, tls: bool) -> None:
    with suppress(OSError):  # a service runs on, although nothing reads its output any more
        print_line(f"console: {console_address(host, port, tls=tls)}")
        results.file.flush()  # also where it is a pipe


def _print_nothing(_port: int) -> None:
    pass
