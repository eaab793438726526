"""The load of the process that answers."""

import asyncio

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints
from app.api.schemas.stats import StatsAnswer

router = Endpoints(tag="system")


@router.endpoint("GET", "/stats", StatsAnswer)
async def get_stats(services: ServicesDep) -> StatsAnswer:
    """Return how busy this process is: rates, times, queue, memory, and how far its indexes are.

    Times are of the last five minutes, of at most the newest thousand requests of a route.
    """
    readings = await asyncio.to_thread(services.readings)
    traffic = await asyncio.to_thread(services.traffic.summary)
    return StatsAnswer.measured(traffic, readings, services.metrics, device=services.device)
