"""Check the signature of a request by the secret of its access key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Headers

from app.compat.rekognition.faults import SignatureIncomplete, SignatureWrong
from app.compat.rekognition.sigv4 import (
    Claim,
    SignatureUnreadableError,
    SignedRequest,
    is_signed_by,
    read_claim,
)

_SERVICE = "rekognition"
_MUST_BE_SIGNED = ("host", "x-amz-date", "x-amz-target")
_CLOCKS_DIFFER_BY = timedelta(minutes=15)
_CONTENT_HASH = "x-amz-content-sha256"


def is_signed(headers: Headers) -> bool:
    """Return whether a request says that it is signed."""
    return headers.get("authorization", "").lstrip().startswith("AWS4-")


def claim_of(headers: Headers) -> Claim:
    """Return what a request says of its signature. Raises SignatureIncomplete, SignatureWrong."""
    try:
        claim = read_claim(headers.items())
    except SignatureUnreadableError as error:
        raise SignatureIncomplete(str(error)) from error
    missing = [name for name in _MUST_BE_SIGNED if name not in claim.signed_headers]
    if missing:
        raise SignatureIncomplete(f"{' and '.join(missing)} must be among the signed headers")
    if claim.service != _SERVICE:
        raise SignatureWrong(f"the signature is for {claim.service!r}, not for {_SERVICE!r}")
    return claim


def require_signature(
    request: SignedRequest,
    claim: Claim,
    secret: str,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Raise SignatureWrong unless the request was signed with the secret, within 15 minutes."""
    hashes = [value for name, value in request.headers if name == _CONTENT_HASH]
    is_right = is_signed_by(request, claim, secret)
    if not is_right or any(value != request.body_sha256 for value in hashes):
        raise SignatureWrong(
            "the signature is not the one that the secret access key makes of this request"
        )
    clock = now()
    if abs(clock - claim.moment) > _CLOCKS_DIFFER_BY:
        raise SignatureWrong(
            f"the request was signed at {claim.moment:%Y-%m-%dT%H:%M:%SZ}, and the service's clock "
            f"says {clock:%Y-%m-%dT%H:%M:%SZ}"
        )
