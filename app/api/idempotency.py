"""Requests that may be sent again: `Idempotency-Key`, after the IETF's draft of that name.

draft-ietf-httpapi-idempotency-key-header: the first request with a key is carried out, every other
one with the same key and the same content is answered as the first was.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.api.edge.callers import caller_in
from app.gallery.gallery import Gallery
from app.gallery.people.identity_ref import PREFIX
from app.gallery.store.idempotency import (
    MAX_SCOPE_LENGTH,
    AnsweredBeforeError,
    KeptAnswer,
    Once,
    Ticket,
    without_names,
)
from app.runtime.threads import reading

REPLAYED = "Idempotency-Replayed"

ResultT = TypeVar("ResultT")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="A random text of your own (a UUID, say) that makes it safe to send this "
        "request again: it is carried out once, and answered alike each time.",
    ),
]


async def answer_once(
    request: Request,
    key: str | None,
    body: BaseModel,
    gallery: Gallery,
    do: Callable[[Once[ResultT] | None], Awaitable[ResultT]],
    answer_of: Callable[[ResultT], tuple[int, BaseModel]],
) -> Response:
    """Carry out a request, or repeat its former answer.

    `do` makes the change and keeps the answer in one transaction; `answer_of` is its status and
    body. A failure changed nothing and is not kept: sent again, the request is tried again. Raises
    IdempotencyKeyReused.
    """

    def answer(result: ResultT) -> KeptAnswer:
        status, content = answer_of(result)
        return KeptAnswer(status, content.model_dump(mode="json"))

    if key is None:
        return _response(answer(await do(None)))
    owner = caller_in(request.scope).repeats
    ticket = await asyncio.to_thread(ticket_for, _scope(request, key), key, body, owner=owner)
    done, is_repeated = await carry_out_once(gallery, ticket, do, answer, kept=_kept)
    return _replay(done) if is_repeated else _response(done)


async def carry_out_once(
    gallery: Gallery,
    ticket: Ticket,
    do: Callable[[Once[ResultT] | None], Awaitable[ResultT]],
    answer: Callable[[ResultT], KeptAnswer],
    *,
    kept: Callable[[KeptAnswer], KeptAnswer],
) -> tuple[KeptAnswer, bool]:
    """Carry out the request of a ticket, or return its former answer; True: it is the former one.

    `kept` makes of an answer what is kept of it, without names of other people. Raises
    IdempotencyKeyReused.
    """
    before = await reading(gallery.kept_answer, ticket)
    if before is not None:
        return before, True
    try:
        return answer(await do(Once(ticket, lambda result: kept(answer(result))))), False
    except AnsweredBeforeError:  # by one that was sent at the same time and is done now
        before = await reading(gallery.kept_answer, ticket)
        if before is None:
            raise
        return before, True


def ticket_for(scope: str, key: str, body: BaseModel, *, owner: str) -> Ticket:
    """Return the ticket of a request: what it does, its key, its content, and whose it is.

    A key belongs to its `owner` (see `Caller.repeats`): of another one it means another request.
    """
    # Of the content as it was understood: a form sent again has another boundary in its bytes.
    content = json.dumps(
        body.model_dump(), sort_keys=True, default=_plain, ensure_ascii=False
    ).encode("utf-8")
    owned = f"{owner}\n{key}" if owner else key
    return Ticket(
        scope if len(scope) <= MAX_SCOPE_LENGTH else _digest(scope),
        _digest(owned),
        # By the key, which is not kept: else names could be guessed from it after their erasure.
        hmac.new(key.encode("utf-8"), content, hashlib.sha256).hexdigest(),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _scope(request: Request, key: str) -> str:
    """Return method and path, a path with an external_id as a digest by the key: it would outlive
    the person, and may be too long to be kept."""
    path = request.url.path
    if f"/{PREFIX}" in path:
        path = hmac.new(key.encode("utf-8"), path.encode("utf-8"), hashlib.sha256).hexdigest()
    return f"{request.method} {path}"


def _plain(value: object) -> str:
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else str(value)


def _kept(answer: KeptAnswer) -> KeptAnswer:
    """Remove the names of other people, who may be erased before the answer is.

    `identity` is the person whom the answer is about, with whom it is redacted, and `merged` are
    those who became part of them.
    """
    own = {name: answer.body[name] for name in ("identity", "merged") if name in answer.body}
    others = {name: without_names(value) for name, value in answer.body.items()}
    return KeptAnswer(answer.status, {**others, **own})


def _response(answer: KeptAnswer) -> Response:
    return JSONResponse(answer.body, status_code=answer.status)


def _replay(answer: KeptAnswer) -> Response:
    return JSONResponse(answer.body, status_code=answer.status, headers={REPLAYED: "true"})
