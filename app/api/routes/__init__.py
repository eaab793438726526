"""Routes. A file has the name of the last word of its URLs, as have the schemas."""

from itertools import chain

from fastapi import APIRouter, Depends

from app.api.edge.api_paths import API_PREFIX
from app.api.edge.timeout import require_sane_timeout
from app.api.problems import documented
from app.api.routes import (
    audit,
    calibration,
    collections,
    consents,
    dead_letters,
    deliveries,
    detect,
    doctor,
    embed,
    events,
    faces,
    faces_search,
    health,
    hold,
    identify,
    identities,
    identities_batch,
    info,
    keys,
    me,
    models,
    people,
    quality,
    retention,
    rollout,
    search,
    stats,
    unknowns,
    verify,
    webhooks,
)

api_router = APIRouter(
    prefix=API_PREFIX,
    dependencies=[Depends(require_sane_timeout)],
    responses=documented(400, 401, 408, 422, 431, 429, 500, 503, 504),
)
# The most asked first: routes are tried in this order.
_ROUTERS = [
    module.router
    for module in (
        identify,
        search,
        verify,
        detect,
        quality,
        embed,
        collections,
        calibration,
        people,
        identities,
        identities_batch,
        consents,
        faces,
        faces_search,
        hold,
        unknowns,
        doctor,
        rollout,
        models,
        info,
        me,
        keys,
        retention,
        stats,
        audit,
        events,
        webhooks,
        deliveries,
        dead_letters,
    )
]
for _router in _ROUTERS:
    api_router.include_router(_router)

REQUEST_BODIES = tuple(chain.from_iterable(router.bodies for router in _ROUTERS))
"""Schemas of the bodies that routes read by themselves."""

READS = {name: read for router in _ROUTERS for name, read in router.reads.items()}
"""What routes read of people, by the name of the route."""

DIRECT_ROUTES = tuple(chain.from_iterable(router.direct for router in _ROUTERS))
"""The routes that are asked most, to stand before all others."""

operations_router = health.router

__all__ = ["DIRECT_ROUTES", "READS", "REQUEST_BODIES", "api_router", "operations_router"]
