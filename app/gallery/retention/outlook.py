"""What a sweep would leave now, for a command beside the service."""

from app.gallery.records import EVERYBODY
from app.gallery.retention.clock_guard import ClockGuard, SweepMoments
from app.gallery.store.gallery_store import Store


def look_ahead(store: Store, guard: ClockGuard) -> SweepMoments:
    """Return the moments of a sweep now, and the people whom it would leave. Blocks."""
    moments = guard.look()
    with store.reading_all() as collections:
        for name in collections.with_expired(moments.claimed):
            identities = collections.within(collections.get(name)).identities
            moments.moment("people", name, identities.count_expired, identities.count(EVERYBODY))
    return moments
