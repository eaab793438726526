"""Signature Version 4 of AWS: what a request says of its signature, and what it should be.

Nothing here looks at keys or at a clock. A request is signed with HMAC-SHA256 over its method,
path, query, some of its headers and the SHA-256 of its body.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
_TERMINATOR = "aws4_request"
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_PART = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_MOST_SIGNED_HEADERS = 64

Headers = Sequence[tuple[str, str]]
"""Names in lower case, each with a value, as they came."""


class SignatureUnreadableError(ValueError):
    """The header `authorization`, or `x-amz-date`, lacks a part."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature; nothing of it is proven."""

    access_key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    """64 hexadecimal digits."""
    date: str
    """The header `x-amz-date`."""

    @property
    def moment(self) -> datetime:
        """When the request was signed, by the clock of the client."""
        return datetime.strptime(self.date, _DATE_FORMAT).replace(tzinfo=UTC)

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/{_TERMINATOR}"


def read_claim(headers: Headers) -> Claim:
    """Read the claim of a request. Raises SignatureUnreadableError."""
    algorithm, _, rest = _value_of(headers, "authorization").strip().partition(" ")
    if algorithm != ALGORITHM:
        raise SignatureUnreadableError(f"the algorithm of Authorization must be {ALGORITHM}")
    parts: dict[str, str] = {}
    for text in rest.split(","):
        found = _PART.fullmatch(text)
        if found is None or found[1] in parts:
            raise SignatureUnreadableError(
                "Authorization must have Credential, SignedHeaders and Signature, each once"
            )
        parts[found[1]] = found[2]
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if name not in parts]
    if missing:
        raise SignatureUnreadableError(f"Authorization lacks {' and '.join(missing)}")
    credential = parts["Credential"].split("/")
    if len(credential) != 5 or credential[-1] != _TERMINATOR or not all(credential):
        raise SignatureUnreadableError(f"Credential must be KEY/DATE/REGION/SERVICE/{_TERMINATOR}")
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    if len(signed) > _MOST_SIGNED_HEADERS:
        raise SignatureUnreadableError(f"over {_MOST_SIGNED_HEADERS} headers are signed")
    signature = parts["Signature"].lower()
    if not _SIGNATURE.fullmatch(signature):
        raise SignatureUnreadableError("Signature must have 64 hexadecimal digits")
    date = _value_of(headers, "x-amz-date").strip()
    access_key_id, day, region, service, _ = credential
    claim = Claim(access_key_id, day, region, service, signed, signature, date)
    try:
        is_of_day = date[:8] == day and bool(claim.moment)
    except ValueError as error:
        raise SignatureUnreadableError(
            "the header X-Amz-Date must be a moment as 20310501T120000Z"
        ) from error
    if not is_of_day:
        raise SignatureUnreadableError("the date of Credential is not that of X-Amz-Date")
    return claim


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that a signature covers.

    `path` and `query` are as they came, percent-encoded; `body_sha256` is in hexadecimal digits.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body_sha256: str


def canonical_request(request: SignedRequest, signed_headers: Sequence[str]) -> str:
    """Return the text of which the SHA-256 is signed."""
    lines = [request.method, _canonical_path(request.path), _canonical_query(request.query)]
    lines += [f"{name}:{_value_of(request.headers, name)}" for name in signed_headers]
    return "\n".join([*lines, "", ";".join(signed_headers), request.body_sha256])


def signature_of(request: SignedRequest, claim: Claim, secret: str) -> str:
    """Return the signature that a request should have: 64 hexadecimal digits."""
    digest = sha256(canonical_request(request, claim.signed_headers).encode("utf-8")).hexdigest()
    text = "\n".join([ALGORITHM, claim.date, claim.scope, digest])
    key = f"AWS4{secret}".encode()
    for part in (claim.day, claim.region, claim.service, _TERMINATOR):
        key = hmac.digest(key, part.encode("utf-8"), sha256)
    return hmac.digest(key, text.encode("utf-8"), sha256).hex()


def is_signed_by(request: SignedRequest, claim: Claim, secret: str) -> bool:
    """Return whether the signature of a request is right; compared in constant time."""
    return hmac.compare_digest(signature_of(request, claim, secret), claim.signature)


def _value_of(headers: Headers, name: str) -> str:
    """The values of a header, with runs of white space made one space."""
    return ",".join(" ".join(value.split()) for own, value in headers if own == name)


def _canonical_path(path: str) -> str:
    """Each segment is encoded once more than it was sent, as for every service but S3."""
    return quote(path, safe="/-_.~") or "/"


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = [(_encoded(name), _encoded(value)) for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")
