"""The caller of a request, and what they may do."""

from app.api.deps import CallerDep
from app.api.edge.callers import Caller
from app.api.endpoint import Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.me import CallerAnswer

router = Endpoints(tag="system")


@router.endpoint("GET", "/me", CallerAnswer, right=ANY_KEY)
async def get_caller(caller: CallerDep) -> Caller:
    """Return the name of the key that was sent, and what it may do in which collections.

    A key that the service does not know, or that has expired or is revoked, is answered 401, as
    everywhere.
    """
    return caller
