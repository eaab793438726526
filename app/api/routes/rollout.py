"""The rollout of another embedder in a collection."""

from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.rollout import RolloutAnswer
from app.runtime.threads import reading

router = Endpoints("/collections/{collection}", tag="collections")


@router.endpoint("GET", "/rollout", RolloutAnswer, right=ANY_KEY)
async def get_rollout(collection: CollectionPath, services: ServicesDep) -> RolloutAnswer:
    """Return how far a collection has gone over to another embedder, and what hinders the switch.

    `vultus reembed` carries it out.
    """
    return RolloutAnswer.shown(await reading(services.rollout_status, collection))
