"""`vultus serve`."""

from typing import Annotated

import typer
import uvicorn

from app.cli.session import load_settings
from app.main import create_app
from app.services import Services
from app.telemetry import configure_logging

_KEEP_ALIVE_S = 65  # longer than the usual 60 s of a proxy in front, which must not be cut off
_GRACE_S = 30


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [VULTUS_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [VULTUS_PORT].")] = None,
) -> None:
    """Start the service."""
    settings = load_settings()
    configure_logging(settings.log)
    # Built here and not in the server's start-up, so that what is wrong is said in one line.
    services = Services.build(settings)
    services.open()
    uvicorn.run(
        create_app(settings, services),
        host=host or settings.host,
        port=settings.port if port is None else port,
        log_config=None,
        access_log=False,  # the application logs requests itself, with their ids
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
