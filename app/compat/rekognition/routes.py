"""The one route of the protocol: AWS JSON 1.1, with the operation in a header."""

import asyncio
from typing import Final

from fastapi import Request, Response

from app.api.granted import require_of_caller
from app.compat.dialect_router import DialectRouter
from app.compat.rekognition.dispatch import TARGET_HEADER, operation_of
from app.compat.rekognition.operation import Call, Operation
from app.compat.rekognition.reading import read_input
from app.compat.rekognition.schemas.base import Output
from app.compat.rekognition.signatures import region_in
from app.compat.rekognition.signed_caller import read_from_caller

PATH: Final = "/rekognition"
MEDIA_TYPE: Final = "application/x-amz-json-1.1"
REQUEST_ID_HEADER: Final = "x-amzn-RequestId"

router = DialectRouter()


@router.answers("POST", "/", right=None)
@router.answers("POST", PATH, right=None)
async def call_operation(request: Request) -> Response:
    """Carry out the operation that the header `X-Amz-Target` names."""
    operation = operation_of(request.headers.get(TARGET_HEADER, ""))
    request.scope["route"] = operation  # by which the log and the metrics name it
    raw = await read_from_caller(request)
    require_of_caller(request, operation.right)
    call = Call(request, await read_input(raw, operation.input), region_in(request.headers))
    collection = getattr(call.body, "collection_id", None)
    if collection is not None:
        call.caller.require_own(collection)
    return await _answered(operation, await operation.do(call), request.state.request_id)


async def _answered(operation: Operation, output: Output | None, request_id: str) -> Response:
    headers = {REQUEST_ID_HEADER: request_id}
    if output is None:
        return Response("{}", media_type=MEDIA_TYPE, headers=headers)
    text = await asyncio.to_thread(_text, output) if operation.large else _text(output)
    return Response(text, media_type=MEDIA_TYPE, headers=headers)


def _text(output: Output) -> str:
    return output.model_dump_json(by_alias=True, exclude_none=True)
