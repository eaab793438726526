"""`vultus demo`: a service with sample photos, whose folder is removed at the end."""

import asyncio
import os
import socket
import sys
import webbrowser
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

import typer
import uvicorn

from app.cli.output import errors, print_line
from app.cli.serve.end_signals import EndSignals
from app.console import CONSOLE_PATH
from app.demo.demo_gallery import PHOTOS, fill_demo_gallery
from app.demo.demo_settings import demo_settings
from app.main import create_server_app
from app.observe.logs import configure_logging
from app.services import Services, build_services

_HOST: Final = "127.0.0.1"
_GRACE_S: Final = 3


def demo(*, port: int, opens: bool) -> None:
    """Serve a gallery of sample photos until a signal to end; `port` 0 is any free one."""
    with closing(_bound(port)) as listening, EndSignals() as signals:
        with TemporaryDirectory(prefix="vultus-demo-") as folder:
            try:
                _serve(Path(folder), listening, signals, opens=opens)
            except KeyboardInterrupt:
                pass
            finally:
                signals.ignore()  # until the folder is gone
    with suppress(OSError):  # the terminal was closed
        print_line("The demo has ended, and its gallery is removed.")


def _serve(folder: Path, listening: socket.socket, signals: EndSignals, *, opens: bool) -> None:
    port = listening.getsockname()[1]
    settings = demo_settings(folder, host=_HOST, port=port)
    configure_logging(settings.log)
    with errors.status("Starting: networks are loaded, and sample photos enrolled ..."):
        services = build_services(settings)
        try:
            asyncio.run(_prepare(services))
            server = _server(services)
            signals.raise_if_any()
        except BaseException:  # a signal, mostly: its threads would keep this process alive
            asyncio.run(services.stop())
            raise
    # From here on, a browser's connection waits until the server accepts it.
    listening.listen()
    address = f"http://{_HOST}:{port}{CONSOLE_PATH}"
    print_line(f"Vultus demo: {address}")
    print_line(f"Try Identify with your camera, or with {PHOTOS / 'visitors.jpg'}")
    print_line("Then name the stranger in Unknowns, and merge in Review. Ctrl-C removes all of it.")
    sys.stdout.flush()  # also where it is a pipe
    if opens and _has_browser():
        Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    server.run(sockets=[listening])


async def _prepare(services: Services) -> None:
    await services.start()
    await fill_demo_gallery(services)


def _server(services: Services) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_server_app(services=services),
            http="app.api.edge.connection.http_protocol:LimitedHttp",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def _bound(port: int) -> socket.socket:
    """Bind before the networks are loaded, which takes seconds."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_HOST, port))
    except OSError as error:
        bound.close()
        raise typer.BadParameter(
            f"cannot listen on the port {port} ({error.strerror}); "
            "without --port, the demo takes a free one"
        ) from error
    return bound


def _has_browser() -> bool:
    """Return whether a browser would have a window: one that fills the terminal is no help."""
    if sys.platform in ("darwin", "win32") or "BROWSER" in os.environ:
        return True
    return "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
