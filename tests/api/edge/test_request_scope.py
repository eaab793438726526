"""A request's times and its deadline, from the header to what the code below can ask for."""

import re
import time

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from app.api.edge.request_log import Defects, RequestLog
from app.observe.metrics import Metrics
from app.observe.request_scope import Stage, deadline, note
from app.observe.traffic import Traffic
from tests.api.conftest import image, problem

TIMEOUT = "x-request-timeout-ms"
_TIMING = re.compile(r"(\w+);dur=(\d+\.\d{2})")


def timing(header: str) -> dict[str, float]:
    """Milliseconds by name, in the order of the header."""
    parts = [_TIMING.fullmatch(part) for part in header.split(", ")]
    return {part[1]: float(part[2]) for part in parts if part is not None}


def logged(app: ASGIApp, metrics: Metrics, traffic: Traffic | None = None) -> TestClient:
    return TestClient(RequestLog(app, metrics=metrics, traffic=traffic or Traffic()))


async def _noting(scope: Scope, receive: Receive, send: Send) -> None:
    note(Stage.SEARCH, 0.002)
    note(Stage.DECODE, 0.001)
    note(Stage.DECODE, 0.0005)
    await PlainTextResponse("ok")(scope, receive, send)


def test_answer_tells_the_stages_in_their_order_and_the_total() -> None:
    header = logged(_noting, Metrics()).get("/v1/any").headers["server-timing"]
    told = timing(header)
    assert list(told) == ["decode", "search", "total"]
    assert (told["decode"], told["search"]) == (1.5, 2.0)


def test_only_the_api_tells_times() -> None:
    assert "server-timing" not in logged(_noting, Metrics()).get("/healthz").headers


def test_stages_are_measured_logged_and_counted() -> None:
    metrics, traffic = Metrics(), Traffic()
    with capture_logs() as logs:
        logged(_noting, metrics, traffic).get("/v1/any")
    (line,) = [entry for entry in logs if entry["event"] == "request"]
    assert (line["decode_ms"], line["search_ms"]) == (1.5, 2.0)
    told = metrics.registry.get_sample_value
    assert told("vultus_stage_seconds_sum", {"stage": "decode"}) == pytest.approx(0.0015)
    assert told("vultus_stage_seconds_count", {"stage": "detect"}) is None
    assert traffic.summary().stages["search"].p50_ms == pytest.approx(2.0)


def test_request_is_in_progress_until_it_ends_however_it_ends() -> None:
    metrics = Metrics()
    seen = []

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        seen.append(metrics.in_progress())
        raise RuntimeError

    answer = logged(Defects(failing), metrics).get("/v1/any")
    assert answer.status_code == 500
    assert "total" in timing(answer.headers["server-timing"])
    assert (seen, metrics.in_progress()) == ([1], 0)


@pytest.fixture
def deadlines() -> tuple[TestClient, list[float | None]]:
    """An application, and the deadlines that its requests had."""
    seen: list[float | None] = []

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(deadline())
        await PlainTextResponse("ok")(scope, receive, send)

    return logged(looking, Metrics()), seen


def test_timeout_becomes_the_deadline_from_when_the_request_began(
    deadlines: tuple[TestClient, list[float | None]],
) -> None:
    client, seen = deadlines
    before = time.monotonic()
    client.get("/v1/any", headers={TIMEOUT: "3600000"})
    after = time.monotonic()
    (due,) = seen
    assert due is not None
    assert before + 3_600 <= due <= after + 3_600


@pytest.mark.parametrize("path", ["/v1/any", "/healthz"])
def test_without_a_timeout_there_is_no_deadline(
    deadlines: tuple[TestClient, list[float | None]], path: str
) -> None:
    client, seen = deadlines
    client.get(path, headers={} if path.startswith("/v1") else {TIMEOUT: "1000"})
    assert seen == [None]


@pytest.mark.parametrize("value", ["1", "1000", "3600000"])
def test_whole_milliseconds_up_to_an_hour_are_taken(client: TestClient, value: str) -> None:
    # A route that does nothing which a deadline could cut short.
    assert client.get("/v1/models", headers={TIMEOUT: value}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "0", "-1", "3600001", "1.0", "1e3", "1_000", "+5", " 5 5", "soon", "9" * 30]
)
def test_any_other_timeout_is_refused(client: TestClient, value: str) -> None:
    body = problem(client.get("/v1/models", headers={TIMEOUT: value}), 422, "invalid_request")
    assert body["errors"][0]["field"] == TIMEOUT


def test_every_route_of_the_api_documents_the_timeout(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            names = [told["name"] for told in operation.get("parameters", [])]
            assert (TIMEOUT in names) == path.startswith("/v1"), path
            assert ("504" in operation["responses"]) == path.startswith("/v1"), path


def test_every_answer_of_the_api_tells_its_times(client: TestClient, collection: str) -> None:
    """Stages as far as the request came; `total` always, errors too."""
    identify = f"/v1/collections/{collection}/identify"
    stages = {str(stage) for stage in Stage if stage is not Stage.LIVENESS}  # it was not asked for
    for answer, status in (
        (client.post(identify, files=image("hopper")), 200),
        (client.post(identify, files={"image": b"no image"}), 422),
        (client.get("/v1/collections/none-such"), 404),
        (client.get("/v1/no-such-route"), 404),
        (client.get("/v1/models", headers={TIMEOUT: "0"}), 422),
    ):
        assert answer.status_code == status, answer.text
        told = timing(answer.headers["server-timing"])
        assert set(told) - {"total"} == (stages if status == 200 else set())
        assert list(told)[-1] == "total"
        assert told["total"] > 0
