"""The load of the process that answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.stats import StatsAnswer
from app.gallery.vault.rechecking import count_in
from app.observe.metrics import Readings
from app.runtime.threads import reading
from app.services import Services

_MOST_COLLECTIONS = 1_000

router = Endpoints(tag="system")


@router.endpoint("GET", "/stats", StatsAnswer, right=ANY_KEY)
async def get_stats(services: ServicesDep, caller: CallerDep) -> StatsAnswer:
    """Return how busy this process is: rates, times, queue, memory, and how far its indexes are.

    Times are of the last five minutes, of at most the newest thousand requests of a route. For a
    key that is limited to some collections, `index` counts these alone, and `decisions` is empty.
    """
    readings = await asyncio.to_thread(services.readings)
    traffic = await asyncio.to_thread(services.traffic.summary)
    if caller.collections is not None:
        readings = await reading(_of_collections, services, readings, caller.collections)
    answer = StatsAnswer.measured(traffic, readings, services.metrics, device=services.device)
    return answer if caller.collections is None else answer.model_copy(update={"decisions": {}})


def _of_collections(services: Services, readings: Readings, names: Sequence[str]) -> Readings:
    page = services.gallery.collections.page(limit=_MOST_COLLECTIONS, cursor=None, among=names)
    return replace(
        readings,
        index_faces=sum(collection.face_count for collection in page.items),
        collection_count=len(page.items),
        revisions_behind=None,
        unreadable_faces=count_in(services.database, names),
    )
