"""Callers of other APIs are counted, logged and audited as those of /v1, wherever their key is."""

from collections.abc import Callable, Mapping

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.compat.foreign_apis import (
    COMPREFACE,
    DEEPSTACK,
    FOREIGN_APIS,
    JPEG,
    REKOGNITION,
    Code,
    ForeignApi,
    compared_with_itself,
    refusal,
)
from tests.compat.rekognition.signer import Pair, Rekognition

MakeKey = Callable[..., tuple[str, Mapping[ForeignApi, Callable[[], Response]]]]

each_api = pytest.mark.parametrize("api", FOREIGN_APIS, ids=lambda api: api.name)


@pytest.fixture
def make_key(admin: TestClient, keyed: TestClient) -> MakeKey:
    """Make a key; return its id, and for each API how its clients send a photo by it."""

    def make(**fields: object) -> tuple[str, Mapping[ForeignApi, Callable[[], Response]]]:
        answer = admin.post("/v1/keys", json={"name": "of a test", "aws": True, **fields})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        text, pair = made["text"], made["aws"]
        signer = Rekognition(keyed, Pair(pair["access_key_id"], pair["secret_access_key"]))
        return made["key"]["id"], {
            COMPREFACE: lambda: COMPREFACE.send(keyed, headers={"x-api-key": text}),
            DEEPSTACK: lambda: keyed.post(
                DEEPSTACK.path, files={"image": JPEG}, data={"api_key": text}
            ),
            REKOGNITION: lambda: signer.send("CompareFaces", compared_with_itself(JPEG)),
        }

    return make


@each_api
def test_the_log_names_the_key(
    make_key: MakeKey, api: ForeignApi, caplog: pytest.LogCaptureFixture
) -> None:
    key_id, calls = make_key(role="operator")
    assert calls[api]().status_code == 200
    assert key_id in caplog.text


@each_api
def test_a_key_has_its_own_rate(make_key: MakeKey, api: ForeignApi) -> None:
    _, calls = make_key(role="operator", requests_per_min=20)
    answers = [calls[api]() for _ in range(3)]  # a tenth of a minute's at once
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    wanted: dict[ForeignApi, tuple[int, Code | None]] = {
        COMPREFACE: (429, 0),
        DEEPSTACK: (500, None),
        REKOGNITION: (400, "ProvisionedThroughputExceededException"),
    }
    status, code = refusal(api, answers[2])
    assert (status, wanted[api][1] and code) == wanted[api]
    assert int(answers[2].headers["retry-after"]) >= 1


@each_api
def test_a_refused_key_has_a_line_of_the_audit_log_whatever_the_status(
    make_key: MakeKey,
    admin: TestClient,
    keyed: TestClient,
    api: ForeignApi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = keyed.app.state.services.reads  # type: ignore[attr-defined]
    monkeypatch.setattr(reads, "_refused", {})
    key_id, calls = make_key(role="viewer")
    refusal(api, calls[api]())
    reads.flush()
    wanted: dict[str, str | int] = {"action": "request.refused", "limit": 1}
    (line,) = admin.get("/v1/audit", params=wanted).json()["lines"]
    assert (line["principal"], line["outcome"]) == (key_id, "missing_right")
    assert line["details"]["missing_right"] == "identify"


@each_api
def test_a_wrong_key_is_counted(admin: TestClient, keyed: TestClient, api: ForeignApi) -> None:
    def count() -> float:
        lines = admin.get("/metrics").text.splitlines()
        name = 'vultus_refused_keys_total{reason="unauthorized"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before = count()
    send: Mapping[ForeignApi, Callable[[], Response]] = {
        COMPREFACE: lambda: COMPREFACE.send(keyed, headers={"x-api-key": "wrong"}),
        DEEPSTACK: lambda: keyed.post(
            DEEPSTACK.path, files={"image": JPEG}, data={"api_key": "wrong"}
        ),
        REKOGNITION: lambda: Rekognition(keyed, Pair("AKIA" + "A" * 16, "wrong")).send(
            "CompareFaces", compared_with_itself(JPEG)
        ),
    }
    refusal(api, send[api]())
    assert count() == before + 1
