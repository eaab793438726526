"""Many people in one request, as lines."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi import Request
from fastapi.responses import StreamingResponse

from app.api.bodies.batch_lines import enroll_lines
from app.api.bodies.media_types import JSON_LINES, find_charset, is_json_lines, media_type_of, shown
from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Endpoints, described
from app.api.problems import REF_TEMPLATE, documented
from app.api.schemas.identities_batch import BatchItemBody, BatchResultBody
from app.errors import UnsupportedMediaType
from app.gallery.keys.rights import Right
from app.runtime.threads import reading

router = Endpoints("/collections/{collection}", tag="identities")

_MEMORY_BYTES = 4_000_000
_CHUNK_BYTES = 64_000


def _lines_of(schema: str) -> dict[str, object]:
    return {"content": {JSON_LINES: {"schema": {"$ref": REF_TEMPLATE.format(model=schema)}}}}


async def enroll_identities_batch(
    collection: CollectionPath, request: Request, services: ServicesDep
) -> StreamingResponse:
    """Enroll many people: JSON Lines in, JSON Lines out, each line with its own outcome.

    The body may be of any length; it is read as it comes, and about a thousand people are committed
    at a time. The answer begins when all are enrolled. If the connection breaks before, send the
    same lines again: people with an external_id who are enrolled already are answered as `exists`.
    """
    content_type = request.headers.get("content-type", "")
    media_type = media_type_of(content_type)
    if not is_json_lines(media_type):
        raise UnsupportedMediaType(f"content-type is {shown(media_type)}; send {JSON_LINES}")
    if find_charset(content_type) not in {None, "utf-8", "ascii"}:
        raise UnsupportedMediaType("lines of JSON are read as UTF-8 alone; send UTF-8")
    await reading(services.gallery.collections.require, collection)
    # Kept in a file until the body is read: most clients do not read an answer while they send.
    results = SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115  (the answer closes it)
    try:
        async for piece in enroll_lines(
            services.enroll_batch,
            collection,
            request.stream(),
            max_line_bytes=services.settings.limits.max_request_bytes,
            dealt_with=request.state.body_hold.give_back,
        ):
            for result in piece:
                results.write(result.model_dump_json().encode("utf-8") + b"\n")
            services.metrics.count_enrollment(
                faces=sum(result.face_count for result in piece),
                reasons=[
                    reason
                    for result in piece
                    for image in result.rejected
                    for reason in image.reasons
                ],
            )
    except BaseException:
        results.close()
        raise
    results.seek(0)
    return StreamingResponse(_read_and_close(results), media_type=JSON_LINES)


def _read_and_close(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


router.add_api_route(
    "/identities:batch",
    enroll_identities_batch,
    methods=["POST"],
    right=Right.ENROLL,
    response_class=StreamingResponse,
    responses={
        200: {"description": "A line for each line sent.", **_lines_of("BatchResultBody")},
        **documented(404, 409, 413, 415),
    },
    openapi_extra={"requestBody": {"required": True, **_lines_of("BatchItemBody")}},
    **described(enroll_identities_batch),
)
router.bodies += [BatchItemBody, BatchResultBody]
