"""Health and metrics of the process, for orchestrators and scrapers: no API key is needed."""

import asyncio
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app import __version__
from app.api.deps import ServicesDep
from app.api.edge.root_path import link
from app.api.endpoint import Endpoints, described
from app.api.granted import NO_KEY
from app.api.problems import problem_of
from app.api.schemas.health import HealthAnswer
from app.errors import Unavailable
from app.observe.metrics import METRICS_CONTENT_TYPE

_LINKS = {
    "info": "/v1/info",
    "health": "/healthz",
    "readiness": "/readyz",
    "metrics": "/metrics",
}

router = Endpoints(tag="system")


async def welcome(request: Request) -> Response:
    """Redirect browsers to the console, else to the documentation; answer links to others."""
    scope, pages = request.scope, request.app.state.pages
    varies = {"Vary": "Accept"}
    if pages and "text/html" in request.headers.get("accept", ""):
        page = next(iter(pages.values()))
        # Relative where no prefix is known: a proxy may strip one that the settings do not name.
        target = link(scope, page) if scope.get("root_path") else page.removeprefix("/")
        return RedirectResponse(target, headers=varies)
    links = {name: link(scope, path) for name, path in (_LINKS | pages).items()}
    return JSONResponse({"name": "Vultus", "version": __version__, **links}, headers=varies)


router.add_api_route("/", welcome, right=NO_KEY, include_in_schema=False)


@router.endpoint("GET", "/healthz", HealthAnswer, right=NO_KEY)
async def check_health() -> HealthAnswer:
    """Answer as long as the process does."""
    return HealthAnswer(status="ok")


@router.endpoint("GET", "/readyz", HealthAnswer, right=NO_KEY, problems=[422, 503])
async def check_readiness(
    services: ServicesDep,
    request: Request,
    reads: Annotated[
        bool,
        Query(description="Whether searches alone count: a full disk does not matter to them."),
    ] = False,
) -> HealthAnswer | Response:
    """Answer ok while requests can be answered; else 503 with what is wrong.

    The answer comes within a fifth of a second, even if the database is silent.
    """
    try:
        await services.readiness.require(reads_only=reads)
    except Unavailable as error:
        return problem_of(error, request.scope, status=503)
    return HealthAnswer(status="ready")


async def get_metrics(services: ServicesDep) -> Response:
    """Return the metrics of the process in the format of Prometheus."""
    rendered = await asyncio.to_thread(services.metrics.render)
    return Response(rendered, media_type=METRICS_CONTENT_TYPE)


router.add_api_route(
    "/metrics",
    get_metrics,
    right=NO_KEY,
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    **described(get_metrics),
)
