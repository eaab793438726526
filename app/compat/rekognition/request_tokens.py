"""Changes that a client may ask for again, by its `ClientRequestToken`.

SDKs add a token to each request that has a place for one, and repeat it when they try again. It is
the `Idempotency-Key` of the API under another name, of a caller, an operation and a collection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from app.api.idempotency import carry_out_once, ticket_for
from app.compat.rekognition.operation import Call
from app.compat.rekognition.schemas.base import Output
from app.compat.rekognition.schemas.users import ChangeInput
from app.errors import IdempotencyKeyReused
from app.gallery.store.idempotency import KeptAnswer, Once
from app.runtime.threads import reading

ResultT = TypeVar("ResultT")
OutputT = TypeVar("OutputT", bound=Output)
BodyT = TypeVar("BodyT", bound=ChangeInput)


async def carried_out(
    call: Call[BodyT],
    do: Callable[[Once[ResultT] | None], Awaitable[ResultT]],
    output: type[OutputT],
    output_of: Callable[[ResultT], OutputT],
) -> OutputT:
    """Carry out a change, or return what was answered to its token before.

    `do` makes the change and keeps the answer in one transaction. A collection that was created
    since under the same name is another one. Raises CollectionNotFound, and IdempotencyKeyReused
    when the token was sent with another input.
    """
    body = call.body
    token = body.client_request_token
    if token is None:
        return output_of(await do(None))
    operation = type(body).__name__.removesuffix("Input")
    collection = await reading(call.services.gallery.collections.get, body.collection_id)
    ticket = await asyncio.to_thread(
        ticket_for,
        f"Rekognition {operation} {body.collection_id} {collection.created_at.isoformat()}",
        token,
        body,
        owner=call.caller.repeats,
    )
    try:
        done, _ = await carry_out_once(
            call.services.gallery,
            ticket,
            do,
            lambda result: KeptAnswer(HTTPStatus.OK, _plain(output_of(result))),
            kept=_without_users,
        )
    except IdempotencyKeyReused as error:
        raise IdempotencyKeyReused(
            "this ClientRequestToken was sent before with another input"
        ) from error
    return output.model_validate(done.body)


def _plain(output: Output) -> dict[str, object]:
    return output.model_dump(mode="json", by_alias=True, exclude_none=True)


def _without_users(answer: KeptAnswer) -> KeptAnswer:
    """Remove the names of other users, who may be erased before the answer is."""
    return KeptAnswer(
        answer.status, {name: _nameless(value) for name, value in answer.body.items()}
    )


def _nameless(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [
        {name: member for name, member in item.items() if name != "UserId"}
        if isinstance(item, dict)
        else item
        for item in value
    ]
