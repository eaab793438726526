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
from app.gallery.store.idempotency import AnsweredBeforeError, KeptAnswer, Once, Ticket
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
    ticket = await asyncio.to_thread(_ticket, request, key, body)
    before = await reading(gallery.kept_answer, ticket)
    if before is not None:
        return _replay(before)
    try:
        return _response(answer(await do(Once(ticket, lambda result: _kept(answer(result))))))
    except AnsweredBeforeError:  # by one that was sent at the same time and is done now
        before = await reading(gallery.kept_answer, ticket)
        if before is None:
            raise
        return _replay(before)


def _ticket(request: Request, key: str, body: BaseModel) -> Ticket:
    # Of the content as it was understood: a form sent again has another boundary in its bytes.
    content = json.dumps(
        body.model_dump(), sort_keys=True, default=_plain, ensure_ascii=False
    ).encode("utf-8")
    # A key belongs to its caller: to another caller it means another request.
    owner = caller_in(request.scope).repeats
    owned = f"{owner}\n{key}" if owner else key
    return Ticket(
        _scope(request, key),
        hashlib.sha256(owned.encode("utf-8")).hexdigest(),
        # By the key, which is not kept: else names could be guessed from it after their erasure.
        hmac.new(key.encode("utf-8"), content, hashlib.sha256).hexdigest(),
    )


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
    """Remove the names of other people, who may be erased before the answer is."""
    body = dict(answer.body)
    previous = body.get("previous")
    if isinstance(previous, dict):
        body["previous"] = {**previous, "name": None, "external_id": None, "attributes": {}}
    rejected = body.get("rejected")
    if not isinstance(rejected, list):
        return KeptAnswer(answer.status, body)
    nameless = [
        {**image, "resemblance": {**image["resemblance"], "name": None, "external_id": None}}
        if image["resemblance"] is not None
        else image
        for image in rejected
    ]
    return KeptAnswer(answer.status, {**body, "rejected": nameless})


def _response(answer: KeptAnswer) -> Response:
    return JSONResponse(answer.body, status_code=answer.status)


def _replay(answer: KeptAnswer) -> Response:
    return JSONResponse(answer.body, status_code=answer.status, headers={REPLAYED: "true"})
