"""Each API's own errors, wherever a request is refused: before its route, in it, or by a defect.

The rows are refusals, provoked for real where a client can, else injected where they arise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from errno import ENOSPC
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.api.edge.callers import Caller
from app.errors import (
    AccessDenied,
    DatabaseUnavailable,
    DeadlineExceeded,
    EmbedderMismatch,
    ImageTooLarge,
    NotReady,
    Overloaded,
    Stopping,
    ThresholdRequired,
)
from app.gallery.keys.rights import Right
from tests.compat.foreign_apis import FOREIGN_APIS, JPEG, Code, ForeignApi, refusal

_SECRET = "the secret cause"
_SAME_ORIGIN_HOST = {"host": "evil.example"}
_FOREIGN_PAGE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}


@dataclass(frozen=True)
class Service:
    """What a row needs to provoke its refusal."""

    client: TestClient
    with_settings: Callable[..., TestClient]
    patch: pytest.MonkeyPatch

    def limited(self, **limits: object) -> TestClient:
        return self.with_settings(limits=limits)

    def fail_in_recognition(self, error: BaseException) -> None:
        async def fail(*_: object, **__: object) -> None:
            raise error

        for step in ("detect", "embed"):
            self.patch.setattr(f"app.recognition.pipeline.Recognizer.{step}", fail)

    def call_as(self, caller: Caller | AccessDenied) -> None:
        def identify(*_: object) -> Caller:
            if isinstance(caller, AccessDenied):
                raise caller
            return caller

        self.patch.setattr("app.api.edge.callers.Callers.identify", identify)


@pytest.fixture
def service(
    client: TestClient,
    with_settings: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
) -> Service:
    return Service(client, with_settings, monkeypatch)


Provoke = Callable[[ForeignApi, Service], Response]
_ROWS: list[tuple[Provoke, tuple[tuple[int, Code | None], ...]]] = []


def row(
    compreface: tuple[int, Code],
    deepstack: tuple[int, str | None],
    rekognition: tuple[int, str],
) -> Callable[[Provoke], Provoke]:
    """Add a row: status and code of each API; None for a text that DeepStack has no own of."""

    def add(provoke: Provoke) -> Provoke:
        _ROWS.append((provoke, (compreface, deepstack, rekognition)))
        return provoke

    return add


# Before the route.


@row((413, 0), (400, None), (400, "ImageTooLargeException"))
def body_over_the_limit(api: ForeignApi, service: Service) -> Response:
    return api.send(service.limited(max_request_bytes=10_000))


@row((413, 0), (400, None), (400, "ImageTooLargeException"))
def body_over_the_limit_that_did_not_announce_it(api: ForeignApi, service: Service) -> Response:
    request = api.prepared(JPEG)
    pieces = (request[1][at : at + 5_000] for at in range(0, len(request[1]), 5_000))
    client = service.limited(max_request_bytes=10_000)
    return client.post(api.path, content=pieces, headers=request[0])


@row((503, 41), (500, None), (500, "ThrottlingException"))
def more_bytes_than_are_worked_on_at_once(api: ForeignApi, service: Service) -> Response:
    def full(*_: object) -> None:
        raise Overloaded("100 MB of other requests are being worked on")

    service.patch.setattr("app.api.edge.body_limits.BytesInFlight.require_place", full)
    return api.send(service.client)


@row((429, 0), (500, None), (400, "ProvisionedThroughputExceededException"))
def too_many_requests_a_second(api: ForeignApi, service: Service) -> Response:
    client = service.limited(requests_per_s=0.001, requests_burst=1)
    assert api.send(client).status_code == 200
    return api.send(client)


@row((429, 0), (500, None), (400, "ProvisionedThroughputExceededException"))
def too_many_requests_at_once(api: ForeignApi, service: Service) -> Response:
    client = service.limited(concurrent_requests=1)
    app: Any = client.app
    client.get("/healthz")  # builds the middleware
    app.state.caller_limits.begin("address testclient")
    return api.send(client)


@row((503, 41), (500, None), (500, "ThrottlingException"))
def queue_that_is_full_before_the_body_is_read(api: ForeignApi, service: Service) -> Response:
    def full(*_: object) -> None:
        raise Overloaded("full")

    service.patch.setattr("app.recognition.scheduler.Scheduler.require_place", full)
    return api.send_raw(service.client, b"never read")


@row((503, 41), (500, None), (500, "ThrottlingException"))
def queue_that_is_full_by_then(api: ForeignApi, service: Service) -> Response:
    def full(*_: object, **__: object) -> None:
        raise Overloaded("full")

    service.patch.setattr("app.recognition.scheduler.Scheduler.submit", full)
    return api.send(service.client)


@row((404, 0), (404, None), (400, "UnknownOperationException"))
def path_or_target_of_no_route(api: ForeignApi, service: Service) -> Response:
    headers = {"x-amz-target": "DynamoDB.ListTables"} if api.name == "rekognition" else {}
    path = api.path if headers else f"{api.path}/nowhere"
    return service.client.post(path, headers={**api.headers, **headers}, content=b"{}")


@row((404, 0), (405, None), (400, "UnknownOperationException"))
def method_that_the_path_does_not_have(api: ForeignApi, service: Service) -> Response:
    return service.client.patch(api.path, headers=api.headers)


@row((421, 0), (400, None), (400, "AccessDeniedException"))
def name_of_another_host(api: ForeignApi, service: Service) -> Response:
    return api.send(service.client, headers=_SAME_ORIGIN_HOST)


@row((403, 0), (403, None), (400, "AccessDeniedException"))
def page_of_another_site(api: ForeignApi, service: Service) -> Response:
    return api.send(service.client, headers=_FOREIGN_PAGE)


@row((400, 36), (400, None), (400, "InvalidParameterException"))
def preflight_of_a_page_that_may_not(api: ForeignApi, service: Service) -> Response:
    client = service.with_settings(cors_origins="https://known.example")
    wanted = {"origin": "https://other.example", "access-control-request-method": "POST"}
    return client.options(api.path, headers={**api.headers, **wanted})


# Who asks.


@row((400, 20), (401, "Incorrect api key"), (400, "MissingAuthenticationTokenException"))
def no_key_where_one_is_demanded(api: ForeignApi, service: Service) -> Response:
    return api.send(service.with_settings(api_keys="a-key-of-the-service"))


@row((404, 10), (401, "Incorrect api key"), (400, "UnrecognizedClientException"))
def key_that_is_wrong(api: ForeignApi, service: Service) -> Response:
    client = service.with_settings(api_keys="a-key-of-the-service")
    return api.send(client, headers={"x-api-key": "another"})


@row((404, 10), (403, None), (400, "AccessDeniedException"))
def key_without_the_right(api: ForeignApi, service: Service) -> Response:
    service.call_as(Caller("api_key", "a reader", rights=(Right.READ,), id="k1"))
    return api.send(service.client, headers={"x-api-key": "any"})


@row((503, 41), (500, None), (500, "ThrottlingException"))
def keys_that_are_not_read_yet(api: ForeignApi, service: Service) -> Response:
    def unread(*_: object) -> None:
        raise NotReady("the keys of the database are not read yet")

    service.patch.setattr("app.api.edge.callers.Callers.identify", unread)
    return api.send(service.client, headers={"x-api-key": "any"})


# What is sent.


@row((400, 36), (400, None), (400, "SerializationException"))
def body_that_is_no_json_or_no_form(api: ForeignApi, service: Service) -> Response:
    content_type = {
        "compreface": "application/json",
        "deepstack": "multipart/form-data; boundary=b",
        "rekognition": "application/x-amz-json-1.1",
    }[api.name]
    return api.send_raw(service.client, b'{"file": ', {"content-type": content_type})


@row((400, 36), (400, None), (400, "SerializationException"))
def form_without_a_boundary(api: ForeignApi, service: Service) -> Response:
    return api.send_raw(service.client, b"--b\r\n", {"content-type": "multipart/form-data"})


@row((400, 28), (400, "invalid image"), (400, "InvalidImageFormatException"))
def photo_that_nothing_can_decode(api: ForeignApi, service: Service) -> Response:
    return api.send(service.client, b"\xff\xd8 no photo")


@row((413, 0), (400, "invalid image"), (400, "ImageTooLargeException"))
def photo_of_too_many_pixels(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(ImageTooLarge("too large", setting="VULTUS_LIMITS__MAX_PIXELS"))
    return api.send(service.client)


# In the route.


@row((504, 41), (500, "failed to process request before timeout"), (500, "ThrottlingException"))
def deadline_that_is_over(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(DeadlineExceeded("the time is over"))
    return api.send(service.client)


@row((503, 41), (500, None), (500, "ThrottlingException"))
def database_that_is_away(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(DatabaseUnavailable("the database does not answer"))
    return api.send(service.client)


@row((507, 41), (500, None), (500, "ThrottlingException"))
def disk_that_is_full(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(OSError(ENOSPC, "No space left on device"))
    return api.send(service.client)


@row((503, 41), (500, None), (500, "ThrottlingException"))
def service_that_stops(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(Stopping())
    return api.send(service.client)


@row((500, 41), (400, None), (500, "InternalServerError"))
def threshold_that_is_not_known(api: ForeignApi, service: Service) -> Response:
    settings = ["VULTUS_THRESHOLDS__IDENTIFY"]
    service.fail_in_recognition(ThresholdRequired("it was not measured", settings=settings))
    return api.send(service.client)


@row((405, 32), (400, None), (500, "InternalServerError"))
def collection_of_another_network(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(EmbedderMismatch("it belongs to other", embedder="other"))
    return api.send(service.client)


@row((500, 0), (500, "error occured on the server"), (500, "InternalServerError"))
def defect(api: ForeignApi, service: Service) -> Response:
    service.fail_in_recognition(RuntimeError(_SECRET))
    return api.send(service.client)


@row((500, 0), (500, "error occured on the server"), (500, "InternalServerError"))
def defect_of_a_middleware(api: ForeignApi, service: Service) -> Response:
    def fail(*_: object) -> None:
        raise RuntimeError(_SECRET)

    service.patch.setattr("app.api.edge.body_limits._announced_length", fail)
    return api.send(service.client)


@pytest.mark.parametrize(
    ("provoke", "api", "wanted"),
    [
        pytest.param(provoke, api, wanted, id=f"{provoke.__name__}-{api.name}")
        for provoke, by_api in _ROWS
        for api, wanted in zip(FOREIGN_APIS, by_api, strict=True)
    ],
)
def test_every_refusal_is_in_the_words_of_the_api_that_was_asked(
    provoke: Provoke, api: ForeignApi, wanted: tuple[int, Code | None], service: Service
) -> None:
    answer = provoke(api, service)
    status, code = refusal(api, answer)
    assert (status, wanted[1] and code) == wanted, answer.text
    assert _SECRET not in answer.text
