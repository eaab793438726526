"""A service in this process."""

import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from app.cli.serve.console_address import OnReady


class _Server(uvicorn.Server):
    """A server that calls `on_ready` when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: OnReady) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            listening = self.servers[0].sockets[0]
            self._on_ready(listening.getsockname()[1])


def run_alone(app: Any, on_ready: OnReady, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
    """Serve until a signal to stop. Exits with uvicorn's status if it could not start."""
    server = _Server(uvicorn.Config(app, **options), on_ready)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after a clean stop
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
