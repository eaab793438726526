"""What the demo has in its gallery: something real for each page of the console."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.records import CollectionChanges, NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.decisions import SearchOptions
from app.runtime.threads import writing
from app.services import Services

PHOTOS: Final = Path(__file__).parent / "photos"
"""The sample photos, which the examples use as well; README.md there names their sources."""

STRANGER: Final = ("grace.jpg", "grace_again.jpg", "visitors.jpg")
"""Photos with Grace Hopper, who is not enrolled."""

_EXPIRES_IN: Final = timedelta(days=40)
_CANDIDATES: Final = 5
_TERMINAL: Final = "museum-door"


async def fill_demo_gallery(services: Services) -> None:
    """Enroll people and identify visitors, in the default collection of a new gallery.

    Eileen Collins has two photos, attributes and an expiry. Leonardo's model is enrolled under two
    names, with a photo each, which the gallery doctor reports. Grace Hopper is not enrolled, and
    waits in the inbox of unknown faces.
    """
    await writing(
        services.gallery.collections.update,
        DEFAULT_COLLECTION,
        CollectionChanges(
            options={"unknowns": {"keep": True, "crops": True}, "crops": {"keep": True}}
        ),
    )
    expires_at = datetime.now(UTC) + _EXPIRES_IN
    eileen = NewIdentity(
        name="Eileen Collins",
        external_id="visitor-1",
        attributes={"occupation": "astronaut", "born": 1956},
        expires_at=expires_at,
    )
    lisa = NewIdentity(
        name="Mona Lisa",
        external_id="visitor-2",
        attributes={"occupation": "model", "born": 1479},
    )
    await _enroll(services, eileen, "eileen.jpg", "eileen_again.jpg")
    await _enroll(services, lisa, "mona_lisa.jpg")
    # The guards refuse the same person under another name, as they should.
    await _enroll(services, NewIdentity(name="Lisa Gherardini"), "mona_lisa_again.jpg", force=True)
    options = SearchOptions(top_k=_CANDIDATES, terminal_id=_TERMINAL)
    for photo in STRANGER:
        await services.identify.photo(DEFAULT_COLLECTION, _read(photo), options)


async def _enroll(
    services: Services, person: NewIdentity, *photos: str, force: bool = False
) -> None:
    await services.enroll.create(
        DEFAULT_COLLECTION, person, [*map(_read, photos)], EnrollOptions(force=force)
    )


def _read(photo: str) -> bytes:
    return (PHOTOS / photo).read_bytes()
