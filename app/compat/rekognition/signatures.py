"""Check the signature of a request by the secret of its access key."""

from collections.abc import Callable, Sequence
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

_REGION = "us-east-1"
_SERVICE = "rekognition"
_MUST_BE_SIGNED = ("host", "x-amz-date", "x-amz-target")
_CLOCKS_DIFFER_BY = timedelta(minutes=15)
_CONTENT_HASH = "x-amz-content-sha256"


def region_in(headers: Headers) -> str:
    """Return the region that a signature names; AWS' first where none does."""
    try:
        return read_claim(headers.items()).region
    except SignatureUnreadableError:
        return _REGION


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
    requests: Sequence[SignedRequest],
    claim: Claim,
    secret: str,
    *,
    key_id: str = "unknown",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Raise SignatureWrong unless the request was signed with the secret, within 15 minutes.

    `requests` is the same one as the client may have sent it, before a proxy changed its path.
    The audit log names the key by `key_id`.
    """
    # All are computed, so that the time taken says nothing of them.
    are_right = [_is_right(request, claim, secret) for request in requests]
    if not any(are_right):
        raise SignatureWrong(
            "the signature is not the one that the secret access key makes of this request",
            key=key_id,
        )
    clock = now()
    if abs(clock - claim.moment) > _CLOCKS_DIFFER_BY:
        raise SignatureWrong(
            f"the request was signed at {claim.moment:%Y-%m-%dT%H:%M:%SZ}, and the service's clock "
            f"says {clock:%Y-%m-%dT%H:%M:%SZ}",
            key=key_id,
        )


def _is_right(request: SignedRequest, claim: Claim, secret: str) -> bool:
    hashes = [value for name, value in request.headers if name == _CONTENT_HASH]
    is_signed_so = is_signed_by(request, claim, secret)
    return is_signed_so and all(value == request.body_sha256 for value in hashes)
