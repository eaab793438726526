"""Requests as AWS's clients send them, signed where there is a pair."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from app.compat.rekognition.sigv4 import Claim, SignedRequest, signature_of

_SIGNED = ("content-type", "host", "x-amz-date", "x-amz-target")


@dataclass(frozen=True)
class Pair:
    access_key_id: str
    secret: str
    region: str = "eu-central-1"


@dataclass
class Rekognition:
    """Calls operations by their names; `pair` None: without a signature."""

    client: TestClient
    pair: Pair | None = None
    path: str = "/rekognition"
    headers: dict[str, str] = field(default_factory=dict)
    """Sent beside the client's own, and over the signed ones."""
    signed_path: str | None = None
    """The path that the client sees, where a proxy changes it."""

    def send(self, operation: str, body: object, *, signed_body: object = None) -> Response:
        """Send a call; `signed_body` is another one, over which it is signed."""
        raw = json.dumps(body).encode()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"RekognitionService.{operation}",
            "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            "host": "testserver",
        }
        if self.pair is not None:
            signed = raw if signed_body is None else json.dumps(signed_body).encode()
            headers["authorization"] = _authorization(
                self.pair, self.signed_path or self.path, headers, signed
            )
        return self.client.post(self.path, content=raw, headers={**headers, **self.headers})

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        """Call an operation that succeeds, and return its output."""
        answer = self.send(operation, body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
        assert answer.headers["x-amzn-requestid"] == answer.headers["x-request-id"]
        output: dict[str, Any] = answer.json()
        return output

    def fail(self, operation: str, kind: str, **body: Any) -> str:
        """Call an operation that fails so, and return the message."""
        return failure(self.send(operation, body), kind)


def failure(answer: Response, kind: str) -> str:
    """The message of an error, after a look at its form."""
    body = answer.json()
    assert (body["__type"], body["Code"]) == (kind, kind), body
    assert answer.headers["x-amzn-errortype"] == kind
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"] == answer.headers["x-request-id"]
    assert answer.status_code == (
        500 if kind in {"ThrottlingException", "InternalServerError"} else 400
    )
    assert body["Message"]
    message: str = body["Message"]
    return message


def _authorization(pair: Pair, path: str, headers: dict[str, str], body: bytes) -> str:
    date = headers["x-amz-date"]
    claim = Claim(pair.access_key_id, date[:8], pair.region, "rekognition", _SIGNED, "", date)
    request = SignedRequest("POST", path, "", [*headers.items()], sha256(body).hexdigest())
    return (
        f"AWS4-HMAC-SHA256 Credential={pair.access_key_id}/{claim.scope}, "
        f"SignedHeaders={';'.join(_SIGNED)}, Signature={signature_of(request, claim, pair.secret)}"
    )
