"""Events, as they happen."""

from math import inf
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from app.api.deps import CallerDep, ServicesDep
from app.api.edge.callers import Callers, limited_by, sent_key
from app.api.endpoint import Asked, Endpoints
from app.api.event_stream import MEDIA_TYPE, EventStream
from app.api.schemas.events import EventBody, EventsQuery, split_types
from app.api.stream_places import PlacedStream, StreamPlaces
from app.errors import InvalidRequest
from app.gallery.keys.rights import Right

router = Endpoints(tag="system")


@router.endpoint("GET", "/events", EventBody, right=Right.READ, media_type=MEDIA_TYPE)
async def stream_events(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    query: Asked[EventsQuery],
    last_event_id: Annotated[
        str | None, Header(description="`id` of the last event that was received.")
    ] = None,
) -> StreamingResponse:
    """Stream what happens, as server-sent events: people, faces, matches, unknown faces.

    Each event is delivered at least once, and those of a collection in the order in which they
    happened. A client that comes back with `Last-Event-ID` (as browsers do), or with `after`,
    misses none that is still kept. Events are lines of the audit log, by ids, without names.
    Sixteen streams of a caller may be open at once.
    """
    position = query.after if last_event_id is None else _position(last_event_id)
    collections = caller.collections
    if query.collection is not None:
        collections = [query.collection] if caller.sees(query.collection) else []
    callers = Callers(services.settings_keys, services.key_ring)
    sent = sent_key(request.headers)
    stream = EventStream(
        services.events,
        split_types(query.types),
        collections,
        require=lambda: callers.identify(sent).require(Right.READ),
        ends=lambda: services.stop_signal.begun,
        wait_s=inf if query.wait_s is None else query.wait_s,
    )
    places = request.app.state.stream_places
    assert isinstance(places, StreamPlaces)
    place = places.take(limited_by(request.scope))
    headers = {"x-accel-buffering": "no"}
    answer = PlacedStream(stream.texts(position), media_type=MEDIA_TYPE, headers=headers)
    answer.place = place
    return answer


def _position(sent: str) -> int:
    """Raises InvalidRequest."""
    if not sent.isascii() or not sent.isdigit() or len(sent) > 18:
        raise InvalidRequest("last-event-id: must be the id of an event, a number")
    return int(sent)
