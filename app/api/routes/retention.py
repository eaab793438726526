"""Retention: what the sweep leaves until a person confirms the clock."""

from datetime import UTC, datetime, timedelta

from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.retention import ConfirmClockBody, RetentionAnswer
from app.errors import CollectionNotGranted, InvalidRequest
from app.gallery.keys.rights import Right
from app.runtime.threads import writing

_MOST_APART = timedelta(minutes=5)

router = Endpoints("/retention", tag="system")


@router.endpoint("GET", "", RetentionAnswer, right=Right.READ)
async def get_retention(services: ServicesDep, caller: CallerDep) -> RetentionAnswer:
    """Return whether the sweep erases by the system clock, or waits for a person.

    It waits when the clock jumped forward, or the machine was off for long: nobody is erased by a
    wrong clock.
    """
    among = None if caller.collections is None else frozenset(caller.collections)
    return RetentionAnswer.at(services.sweep.latest, among)


@router.endpoint("POST", ":confirm", RetentionAnswer, right=Right.ADMIN)
async def confirm_clock(
    body: Sent[ConfirmClockBody], services: ServicesDep, caller: CallerDep
) -> RetentionAnswer:
    """Confirm that the service's clock is right; what waited is erased before the answer.

    Of several processes, the others follow within half a minute.
    """
    if caller.collections is not None:
        raise CollectionNotGranted(
            "this key may act in some collections only, and the clock is one"
        )
    now = datetime.now(UTC)
    if abs(now - body.clock) > _MOST_APART:
        raise InvalidRequest(
            f"the service's clock says {now.isoformat(timespec='seconds')}, which differs from "
            "the clock that was sent by more than five minutes; nothing was erased"
        )
    await writing(services.sweep.confirm)
    return RetentionAnswer.at(services.sweep.latest, None)
