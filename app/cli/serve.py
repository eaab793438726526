"""`vultus serve`."""

import asyncio
import os
from typing import Annotated

import structlog
import typer
import uvicorn

from app.cli.session import load_settings
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.telemetry import configure_logging

_KEEP_ALIVE_S = 65  # longer than the usual 60 s of a proxy in front, which must not be cut off
_GRACE_S = 30
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_log = structlog.get_logger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [VULTUS_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [VULTUS_PORT].")] = None,
) -> None:
    """Start the service."""
    settings = load_settings()
    configure_logging(settings.log)
    # Started here and not by the server, so that what is wrong is said in one line.
    services = Services.build(settings)
    asyncio.run(services.start())
    address = host or settings.host
    _warn_of_likely_mistakes(settings, address)
    uvicorn.run(
        create_app(settings, services),
        host=address,
        port=settings.port if port is None else port,
        log_config=None,
        access_log=False,  # the application logs requests itself, with their ids
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _warn_of_likely_mistakes(settings: Settings, address: str) -> None:
    if address not in _LOOPBACK and not settings.api_keys:
        _log.warning("open_to_the_network", address=address, remedy="set VULTUS_API_KEYS")
    known = set(Settings.variables())
    for name in sorted(os.environ):
        if name.startswith("VULTUS_") and name.upper() not in known:
            _log.warning("unknown_setting", variable=name, remedy="see the README's table")
