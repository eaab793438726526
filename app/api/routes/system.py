"""What runs here, whether it is well, and its metrics."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app import __version__
from app.api.answers import answer
from app.api.deps import ModelDep, ServicesDep
from app.api.edge.root_path import link
from app.api.problems import documented, problem_of
from app.api.schemas.health import HealthAnswer
from app.api.schemas.info import InfoAnswer, LimitsBody, LivenessInfoBody, ThresholdsBody
from app.api.schemas.models import DetectorBody, ModelsAnswer, ZooModelBody
from app.api.schemas.stats import StatsAnswer
from app.errors import Unavailable
from app.observe.metrics import METRICS_CONTENT_TYPE
from models.zoo.detectors.detector_cards import DETECTOR_CARDS

_LINKS = {
    "info": "/v1/info",
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "health": "/healthz",
    "readiness": "/readyz",
    "metrics": "/metrics",
}

router = APIRouter(tags=["system"])
operations_router = APIRouter(tags=["system"])
"""For orchestrators, scrapers and people who look around: no API key."""


@operations_router.get("/", include_in_schema=False)
async def welcome(request: Request) -> Response:
    """Lead browsers to the documentation, and answer links to other clients."""
    varies = {"Vary": "Accept"}
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(link(request.scope, "/docs"), headers=varies)
    links = {name: link(request.scope, path) for name, path in _LINKS.items()}
    return JSONResponse({"name": "Vultus", "version": __version__, **links}, headers=varies)


@router.get("/models")
async def list_models(services: ServicesDep) -> ModelsAnswer:
    """List the embedders and detectors that the service knows, with licences and what is measured.

    Which of them run here is `active`.
    """
    known_models = await asyncio.to_thread(services.known_models)  # which reads files
    return ModelsAnswer(
        models=[
            ZooModelBody(
                name=known.name,
                description=known.description,
                license=known.license,
                training_data=known.training_data,
                dimension=known.dimension,
                active=known.active,
                runtime=services.runtime if known.active else None,
                precision=services.precision if known.active else None,
                similarity_at_fmr={f"{fmr:g}": value for fmr, value in known.similarity_at_fmr},
                measured_on=known.measured_on,
            )
            for known in known_models
        ],
        detectors=[
            DetectorBody(**asdict(card), active=card.name == services.settings.detector.name)
            for card in DETECTOR_CARDS.values()
        ],
        chosen_by=services.choice.by.value,
        reason=services.choice.ground.value,
    )


@router.get("/info")
async def info(services: ServicesDep, model: ModelDep) -> InfoAnswer:
    """Tell the version, the embedder, the device, the default thresholds and the limits."""
    limits = services.settings.limits
    rules = services.calibrator.defaults
    scorer = services.recognizer.liveness
    return InfoAnswer(
        version=__version__,
        model=model,
        device=services.device,
        runtime=services.runtime,
        precision=services.precision,
        image_formats=list(services.recognizer.image_formats),
        thresholds=ThresholdsBody(
            target_fmr=rules.target_fmr,
            target_fpir=rules.target_fpir,
            margin=rules.find_margin(),
            verify=rules.find_verify(),
            identify=rules.identify,
            source=None if rules.map is None else rules.map.source,
        ),
        liveness=None
        if scorer is None
        else LivenessInfoBody(networks=list(scorer.names), threshold=scorer.threshold),
        limits=LimitsBody(**limits.model_dump()),
    )


@router.get("/stats")
async def stats(services: ServicesDep) -> StatsAnswer:
    """Tell how busy this process is: rates, times, queue, memory, and how far its indexes are.

    Times are of the last five minutes, of at most the newest thousand requests of a route.
    """
    readings = await asyncio.to_thread(services.readings)
    traffic = await asyncio.to_thread(services.traffic.summary)
    return StatsAnswer.of(traffic, readings, services.metrics, device=services.device)


@operations_router.get("/healthz")
async def health() -> HealthAnswer:
    """Answer as long as the process does."""
    return HealthAnswer(status="ok")


@operations_router.get("/readyz", response_model=HealthAnswer, responses=documented(422, 503))
async def ready(
    services: ServicesDep,
    request: Request,
    reads: Annotated[
        bool,
        Query(description="Whether searches alone count: a full disk does not matter to them."),
    ] = False,
) -> Response:
    """Answer ok while requests can be answered; else 503 with what is wrong.

    Within a fifth of a second, whatever the database does.
    """
    try:
        await services.require_ready(reads_only=reads)
    except Unavailable as error:
        return problem_of(error, request.state.request_id, status=503)
    return answer(HealthAnswer(status="ready"))


@operations_router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
)
async def metrics(services: ServicesDep) -> Response:
    """Prometheus metrics."""
    rendered = await asyncio.to_thread(services.metrics.render)
    return Response(rendered, media_type=METRICS_CONTENT_TYPE)
