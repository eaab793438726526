"""The web application: middleware, routes and the life of the services."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app import console
from app.api import documents
from app.api.bodies.compressed_bodies import CompressedBodies
from app.api.described_routes import application_of_routes
from app.api.edge.admission import Admission
from app.api.edge.authentication import Authentication
from app.api.edge.body_limits import BodyLimits
from app.api.edge.caller_limits import CallerLimits
from app.api.edge.callers import Callers
from app.api.edge.connection.arrival import Refusals
from app.api.edge.connection.connections import ConnectionLimits, Connections
from app.api.edge.connection.open_files import allow_many_open_files, connections_that_fit
from app.api.edge.cors import allow_origins
from app.api.edge.guarded_pages import GuardedPages
from app.api.edge.head import HeadAsGet
from app.api.edge.identity_paths import IdentityPaths
from app.api.edge.known_hosts import KnownHosts
from app.api.edge.private_answers import PrivateAnswers
from app.api.edge.rate_limits import RateLimits
from app.api.edge.request_log import Defects, RequestLog
from app.api.edge.root_path import RootPath
from app.api.edge.search_quota import SearchQuota
from app.api.edge.stop_requests import StopRequests
from app.api.edge.unread_bodies import UnreadBodies
from app.api.stream_places import StreamPlaces
from app.compat.dialects import DialectOfRequest, DialectRoutes, dialects_named
from app.observe.logs import configure_logging
from app.runtime.garbage import leave_out_of_collection
from app.runtime.memory import give_back_memory
from app.runtime.stopping import at_signals
from app.services import Services, build_services
from app.settings import Settings

_SWITCH_S = 0.0005


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """Build the application.

    Without `services` they are built from the settings. Raises StartupError with the remedy.
    """
    settings = settings or (services.settings if services else Settings())
    configure_logging(settings.log)
    # A thread that comes back from a network waits for the one that holds the interpreter, by
    # default up to 5 ms each time; a photo has ten such times.
    sys.setswitchinterval(_SWITCH_S)
    services = services or build_services(settings)

    connections = Connections(
        ConnectionLimits(
            most=connections_that_fit(settings.limits.max_connections),
            patience_s=settings.limits.patience_s,
            bytes_per_s=services.constants.min_bytes_per_s,
        ),
        services.metrics.count_ended_connection,
    )
    services.metrics.connections.set_function(lambda: len(connections))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await services.start()
        loop = asyncio.get_running_loop()

        def begin_stop() -> None:
            services.begin_stop()
            connections.stop()

        with at_signals(lambda: loop.call_soon_threadsafe(begin_stop)):
            yield connections.lifespan_state
        await services.stop()

    app = application_of_routes(lifespan)
    app.state.services = services
    app.state.search_quota = SearchQuota(settings.limits)
    app.state.stream_places = StreamPlaces(connections.limits.most)
    _add_pages(app, settings)
    callers = Callers(services.settings_keys, services.key_ring)
    app.state.callers = callers
    app.state.caller_limits = CallerLimits(settings.limits)
    dialects = dialects_named(settings.compat)
    # The last is the outermost. From outside in: the paths as the API names them; which API a
    # request speaks; the rest of a body that is not read; the log, which sees every answer; the
    # headers for other origins on all of them; the end of the process, defects, and what the
    # connection refuses; who the caller is, and who may ask at all; limits, the cheapest first;
    # bodies as routes read them; the routes of other APIs.
    if dialects:
        app.add_middleware(DialectRoutes, service=app, dialects=dialects)
    app.add_middleware(HeadAsGet)
    app.add_middleware(IdentityPaths)
    app.add_middleware(CompressedBodies, limits=settings.limits)
    app.add_middleware(Admission, require_place=services.recognizer.require_place)
    app.add_middleware(
        BodyLimits,
        limits=settings.limits,
        report=services.metrics.body_bytes.set,
    )
    app.add_middleware(RateLimits, limits=app.state.caller_limits)
    if settings.metrics_and_docs_need_key:
        app.add_middleware(GuardedPages)
    app.add_middleware(PrivateAnswers)
    app.add_middleware(
        KnownHosts,
        hosts=settings.hosts,
        origins=settings.cors_origins,
        demands_key=callers.demand_keys,
    )
    app.add_middleware(Refusals)
    app.add_middleware(
        Authentication,
        callers=callers,
        refused=services.metrics.count_refused_key,
        exact_without_keys=settings.exact_similarities,
    )
    app.add_middleware(Defects)
    app.add_middleware(StopRequests, signal=services.stop_signal)
    allow_origins(app, settings.cors_origins)
    app.add_middleware(  # sees every answer
        RequestLog,
        metrics=services.metrics,
        traffic=services.traffic,
        tracing=services.tracing,
        note_refusal=services.reads.note_refusal,
    )
    app.add_middleware(UnreadBodies)
    if dialects:
        app.add_middleware(DialectOfRequest, dialects=dialects)
    if settings.root_path:
        app.add_middleware(RootPath, root_path=settings.root_path)
    return app


def _add_pages(app: FastAPI, settings: Settings) -> None:
    """Add the console and the documentation, where they are on."""
    pages: dict[str, str] = {}
    if settings.console.enabled:
        console.mount(app)
        pages["console"] = console.CONSOLE_PATH
    if settings.docs.enabled:
        documents.install(app)
        console.mount_docs(app)
        pages |= {"documentation": console.DOCS_PATH, "openapi": documents.OPENAPI_PATH}
    app.state.pages = pages


def create_server_app(
    settings: Settings | None = None, services: Services | None = None
) -> FastAPI:
    """Build the application for a process that does nothing else than serve it.

    It is run by `vultus serve`, whose HTTP protocol has the limits of connections.
    """
    allow_many_open_files()
    app = create_app(settings, services)
    leave_out_of_collection()
    give_back_memory()  # of reading the weights
    return app
