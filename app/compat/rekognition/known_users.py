"""Users by their UserId, and as outputs show them."""

from app.compat.rekognition.schemas.users import User, UserStatus
from app.compat.rekognition.user_ids import refs_of, user_id_of
from app.errors import IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.records import Identity
from app.runtime.threads import reading


async def find_user(gallery: Gallery, collection: str, user_id: str) -> Identity:
    """Return the person of a UserId. Raises CollectionNotFound and IdentityNotFound."""

    def find() -> Identity:
        for ref in refs_of(user_id):
            try:
                found = gallery.people.get(collection, ref)
            except IdentityNotFound:
                continue
            if user_id_of(found) == user_id:
                return found
        raise IdentityNotFound(
            f"there is no user {user_id} in collection {collection!r}", collection=collection
        )

    return await reading(find)


def user_of(person: Identity) -> User:
    """Return a person who is not anonymous as a user."""
    return User(user_id=user_id_of(person) or person.id, user_status=user_status(person))


def user_status(person: Identity) -> UserStatus:
    """Return whether a user can be found: as soon as they have a face."""
    return "ACTIVE" if person.face_count else "CREATED"
