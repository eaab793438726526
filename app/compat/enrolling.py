"""Photos of a person whom another API addresses by a name, be they enrolled or not."""

from collections.abc import Callable, Sequence

from app.errors import ExternalIdTaken, IdentityNotFound
from app.gallery.records import Identity, NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading
from app.services import Services


async def enroll_photos(
    services: Services,
    collection: str,
    photos: Sequence[bytes],
    options: EnrollOptions,
    *,
    find: Callable[[], Identity | None],
    new: Callable[[], NewIdentity],
    once: Once[Enrollment] | None = None,
) -> Enrollment:
    """Add photos to the person that `find` returns, or enroll the one that `new` returns.

    `find` blocks. It is called again where another request made, or deleted, the person meanwhile.
    Raises what `find` and `new` raise, and as `Enroller` does.
    """
    for is_last in (False, True):
        person = await reading(find)
        try:
            if person is not None:
                return await services.enroll.add_faces(
                    collection, person.id, photos, options, once=once
                )
            return await services.enroll.create(collection, new(), photos, options, once=once)
        except (ExternalIdTaken, IdentityNotFound):
            if is_last:
                raise
    raise AssertionError  # the second try returns or raises
