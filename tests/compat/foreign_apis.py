"""The APIs of other services, as their clients see errors: one request of each, and its answers."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Request, Response

from tests.kit import photos

_TARGET = "RekognitionService.CompareFaces"
_AWS_JSON = "application/x-amz-json-1.1"
JPEG = photos.encoded(photos.hopper())

Code = int | str


@dataclass(frozen=True, eq=False)
class ForeignApi:
    """`path` and `headers` of a request that finds the faces of a photo, or compares it with
    itself; `body` makes its body, and `code_of` reads an error, after a look at its form."""

    name: str
    path: str
    headers: Mapping[str, str]
    body: Callable[[bytes], dict[str, Any]]
    code_of: Callable[[Response], Code]

    def send(
        self, client: TestClient, photo: bytes = JPEG, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a photo."""
        sent = self.body(photo)
        own = {**sent.pop("headers", {}), **self.headers, **(headers or {})}
        return client.post(self.path, headers=own, **sent)

    def prepared(self, photo: bytes) -> tuple[dict[str, str], bytes]:
        """Headers and bytes of the body of a request with a photo."""
        request = Request("POST", "http://testserver", **self.body(photo))
        return {**request.headers, **self.headers}, request.read()

    def send_raw(
        self, client: TestClient, content: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a body as it is."""
        return client.post(self.path, content=content, headers={**self.headers, **(headers or {})})


def _code_of_compreface(answer: Response) -> Code:
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"message", "code"}
    assert isinstance(body["message"], str)
    assert body["message"]
    code: int = body["code"]
    assert isinstance(code, int)
    return code


def _code_of_deepstack(answer: Response) -> Code:
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) <= {"success", "error", "message", "duration"}
    assert (body["success"], body["duration"]) == (False, 0)
    assert answer.status_code in {400, 401, 403, 404, 405, 500}
    error: str = body["error"]
    assert error
    return error


def _code_of_rekognition(answer: Response) -> Code:
    body = answer.json()
    assert answer.headers["content-type"] == _AWS_JSON
    assert set(body) == {"__type", "Code", "Message"}
    assert body["Message"]
    kind: str = body["__type"]
    assert (body["Code"], answer.headers["x-amzn-errortype"]) == (kind, kind)
    assert answer.headers["x-amzn-requestid"] == answer.headers["x-request-id"]
    return kind


def compared_with_itself(photo: bytes) -> dict[str, Any]:
    """The input of CompareFaces."""
    image = {"Bytes": b64encode(photo).decode("ascii")}
    return {"SourceImage": image, "TargetImage": image}


COMPREFACE = ForeignApi(
    "compreface",
    "/api/v1/detection/detect",
    {},
    lambda photo: {"files": {"file": ("a.jpg", photo)}},
    _code_of_compreface,
)
DEEPSTACK = ForeignApi(
    "deepstack",
    "/v1/vision/face",
    {},
    lambda photo: {"files": {"image": ("image", photo)}},
    _code_of_deepstack,
)
REKOGNITION = ForeignApi(
    "rekognition",
    "/",
    {"x-amz-target": _TARGET, "content-type": _AWS_JSON},
    lambda photo: {"content": json.dumps(compared_with_itself(photo))},
    _code_of_rekognition,
)
FOREIGN_APIS = (COMPREFACE, DEEPSTACK, REKOGNITION)


def refusal(api: ForeignApi, answer: Response) -> tuple[int, Code]:
    """Status and code of an error, which shows nothing of another API's form."""
    assert answer.headers["x-request-id"]
    assert "urn:vultus" not in answer.text
    assert "problem" not in answer.headers["content-type"]
    return answer.status_code, api.code_of(answer)
