"""The caller of a signed request, who is known once its body was read."""

from hashlib import sha256

from fastapi import Request

from app.api.bodies.body_turns import SHORT_BYTES, body_turn
from app.api.edge.authentication import entrance_of
from app.api.edge.callers import caller_in
from app.compat.late_caller import callers_of, let_caller_in
from app.compat.rekognition.faults import SignatureUnchecked
from app.compat.rekognition.signatures import claim_of, require_signature
from app.compat.rekognition.sigv4 import SignedRequest
from app.errors import AccessDenied


async def read_from_caller(request: Request) -> bytearray:
    """Read the body of a request; where it is signed, let its caller in by the signature.

    A key that does not exist, or has ended, is refused before the body is read. Raises
    AccessDenied, KeySecretSealed, NotReady, and RateLimited.
    """
    try:
        caller_in(request.scope)
    except SignatureUnchecked:
        try:
            return await _read_checked(request)
        except AccessDenied as error:
            entrance_of(request.scope).note(request.scope, error)
            raise
    return (await _read(request))[0]


async def _read_checked(request: Request) -> bytearray:
    callers = callers_of(request)
    claim = claim_of(request.headers)
    pair = callers.pair_of(claim.access_key_id)
    body, digest = await _read(request)
    sent = _as_sent(request, digest)
    require_signature(sent, claim, pair.secret, key_id=pair.key.id)
    let_caller_in(request, callers.let_in(pair.key))
    return body


async def _read(request: Request) -> tuple[bytearray, str]:
    """The body, and its SHA-256 in hexadecimal digits.

    `request.body()` would keep the body for as long as the request is worked on.
    """
    body = bytearray()
    async with body_turn() as turn:
        async for chunk in turn.read(request.stream()):
            body += chunk
        if len(body) <= SHORT_BYTES:
            return body, sha256(body).hexdigest()
        return body, (await turn.parse(sha256, body)).hexdigest()


def _as_sent(request: Request, body_sha256: str) -> list[SignedRequest]:
    """The request by its path here, and by that below the prefix which a proxy may take off."""
    path = request.scope["raw_path"].decode("latin-1")
    prefix = request.scope.get("root_path", "")
    query = request.scope["query_string"].decode("latin-1")
    headers = request.headers.items()
    return [
        SignedRequest(request.method, sent, query, headers, body_sha256)
        for sent in dict.fromkeys((path, prefix + path))
    ]
