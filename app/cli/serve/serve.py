"""`vultus serve`."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import structlog
import typer

from app.cli.configuration import (
    export_opentelemetry,
    former_settings,
    load_settings,
    unknown_settings,
)
from app.cli.output import print_error
from app.cli.serve.console_address import OnReady, announcing
from app.cli.serve.key_checks import demands_keys, is_reached_by_others
from app.cli.serve.process_context import process_context
from app.cli.serve.server_processes import run_processes
from app.cli.serve.single_process import run_alone
from app.cli.serve.start_checks import require_startable
from app.cli.serve.tls_context import TlsContext
from app.cli.serve.tls_files import TlsFiles, require_tls_files
from app.constants import CONSTANTS, Constants
from app.errors import VultusError
from app.observe.logs import configure_logging
from app.runtime.garbage import leave_out_of_collection
from app.settings import Settings

if TYPE_CHECKING:
    from app.operations.rollout.embedder_choice import EmbedderChoice

_KEEP_ALIVE_S = 65  # longer than the usual 60 s of a proxy, which must close connections first
_GRACE_S = 10  # the application answers the requests that are left after three seconds
_MANY_CORES = 4  # more than one process can use: its threads take turns in Python

_log = structlog.get_logger(__name__)


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    tls: TlsFiles | None = None,
    constants: Constants = CONSTANTS,
) -> None:
    """Start the service. `constants` apply to a service of one process.

    What is given here, and each file in `tls`, stands before the settings.
    """
    if workers is not None:
        # The processes that this one starts read the settings themselves.
        os.environ["VULTUS_PROCESSES"] = str(workers)
    settings = load_settings()
    export_opentelemetry()
    configure_logging(settings.log)
    address = host or settings.host
    chosen_port = settings.port if port is None else port
    tls = (tls or TlsFiles()).or_else(settings.tls)
    require_tls_files(tls)
    choice = require_startable(settings, address, chosen_port)
    _warn_of_likely_mistakes(settings, address)
    options: dict[str, Any] = {
        "host": address,
        "port": chosen_port,
        "log_config": None,
        "access_log": False,  # the application logs requests itself, with their ids
        "http": "app.api.edge.connection.http_protocol:LimitedHttp",
        "ws": "none",
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "timeout_graceful_shutdown": _GRACE_S,
        "ssl_context_factory": None if tls.certificate is None else TlsContext(tls),
    }
    on_ready = announcing(settings, address, tls=tls.certificate is not None)
    if settings.processes > 1:
        choice.announce()
        choice.hand_on()
        _prepare(settings)
        leave_out_of_collection()
        run_processes(settings.processes, on_ready, **options)
        return
    _serve_alone(choice, constants, on_ready, **options)


def _serve_alone(
    choice: "EmbedderChoice",
    constants: Constants,
    on_ready: OnReady,
    **options: Any,  # noqa: ANN401  (uvicorn's own)
) -> None:
    # Imported here, so that a process that only supervises others has no networks in memory.
    from app.main import create_server_app  # noqa: PLC0415
    from app.runtime.cores import own_cores  # noqa: PLC0415
    from app.services import build_services  # noqa: PLC0415

    if own_cores() >= _MANY_CORES:
        _log.info(
            "one_process_for_many_cores",
            cores=own_cores(),
            remedy="vultus serve --workers N answers more requests at once, with up to one process "
            "a core; each takes a gigabyte",
        )
    # Started here and not by the server, so that an error is printed in one line.
    services = build_services(choice.settings, choice, constants)
    asyncio.run(services.start())
    run_alone(create_server_app(services=services), on_ready, **options)


def _prepare(settings: Settings) -> None:
    """Try once, before many processes start, whatever can fail at a start.

    A process of its own tries it, as this one only supervises others and needs no networks.
    """
    trial = process_context().Process(target=_try_to_start, args=(settings,))
    trial.start()
    trial.join()
    if trial.exitcode:
        raise typer.Exit(1)


def _try_to_start(settings: Settings) -> None:
    from app.services import build_services  # noqa: PLC0415  (as in _serve_alone)

    configure_logging(settings.log)
    try:
        services = build_services(settings)
        services.prepare()
        asyncio.run(services.recognizer.warm_up())
    except VultusError as error:
        print_error(error)
        sys.exit(1)


def _warn_of_likely_mistakes(settings: Settings, address: str) -> None:
    if is_reached_by_others(address) and not demands_keys(settings):
        _log.warning(
            "open_to_the_network",
            address=address,
            remedy="make a key with vultus keys add, or set VULTUS_API_KEYS",
        )
    if "FORWARDED_ALLOW_IPS" in os.environ:
        _log.warning(
            "unread_setting",
            variable="FORWARDED_ALLOW_IPS",
            remedy="name the proxies in VULTUS_TRUSTED_PROXIES",
        )
    for former in former_settings():
        _log.warning(
            "former_setting", variable=former.name, source=former.source, remedy=former.remedy
        )
    for unknown in unknown_settings():
        nearest = unknown.nearest
        remedy = f"did you mean {nearest}?" if nearest else "see docs/settings.md"
        _log.warning("unknown_setting", variable=unknown.name, source=unknown.source, remedy=remedy)
