"""API keys: who may do what."""

from typing import Annotated

from fastapi import Path

from app.api.deps import BEFORE_COLON, CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.schemas.keys import IssuedKeyBody, KeyBody, KeyPage, NewKeyBody, RotateKeyBody
from app.api.schemas.parts.field_types import RecordId
from app.api.schemas.parts.pages import PageQuery
from app.gallery.keys.key_records import IssuedKey
from app.gallery.keys.rights import Right
from app.runtime.threads import reading, writing

KeyPath = Annotated[RecordId, Path()]
_KEY = f"/{{key_id:{BEFORE_COLON}}}"

router = Endpoints("/keys", tag="keys")


@router.endpoint("POST", "", IssuedKeyBody, right=Right.ADMIN, status=201)
async def create_key(body: Sent[NewKeyBody], services: ServicesDep, caller: CallerDep) -> IssuedKey:
    """Make an API key. Its text is in this answer alone.

    A key gives no more than it has: only rights of its own, in collections of its own.
    """
    new = body.new_key()
    caller.require_to_grant(new.rights, new.collections)
    issued = await writing(services.key_ring.keys.add, new)
    await reading(services.key_ring.follow)
    return issued


@router.endpoint("GET", "", KeyPage, right=Right.ADMIN)
async def list_keys(services: ServicesDep, caller: CallerDep, query: Asked[PageQuery]) -> KeyPage:
    """List API keys, oldest first, also those that are revoked or have expired.

    A key that is limited to some collections sees keys that are limited to these. Keys of
    `VULTUS_API_KEYS` are not listed.
    """
    page = await reading(
        services.key_ring.keys.page,
        limit=query.limit,
        cursor=query.cursor,
        within=caller.collections,
    )
    return KeyPage(keys=[KeyBody.now(key) for key in page.items], next_cursor=page.next_cursor)


@router.endpoint("GET", _KEY, KeyBody, right=Right.ADMIN)
async def get_key(key_id: KeyPath, services: ServicesDep, caller: CallerDep) -> KeyBody:
    """Return an API key: what it may do, and when it was used last."""
    keys = services.key_ring.keys
    return KeyBody.now(await reading(keys.get, key_id, within=caller.collections))


@router.endpoint(
    "POST", f"{_KEY}:rotate", IssuedKeyBody, right=Right.ADMIN, status=201, problems=[409]
)
async def rotate_key(
    key_id: KeyPath, body: Sent[RotateKeyBody], services: ServicesDep, caller: CallerDep
) -> IssuedKey:
    """Make a key that replaces another, which still works for a while.

    The new key has the name, rights and collections of the former one. 409 `key_inactive` when that
    is revoked, has expired or is replaced already.
    """
    ring = services.key_ring
    former = await reading(ring.keys.get, key_id, within=caller.collections)
    caller.require_to_grant(former.rights, former.collections)
    issued = await writing(
        ring.keys.rotate,
        key_id,
        overlap_s=body.overlap_s,
        expires_at=body.expires_at,
        within=caller.collections,
    )
    await reading(ring.follow)
    return issued


@router.endpoint("DELETE", _KEY, KeyBody, right=Right.ADMIN)
async def revoke_key(key_id: KeyPath, services: ServicesDep, caller: CallerDep) -> KeyBody:
    """Revoke an API key: each process refuses it from now on. It stays in the list."""
    ring = services.key_ring
    key = await writing(ring.keys.revoke, key_id, within=caller.collections)
    await reading(ring.follow)
    return KeyBody.now(key)
