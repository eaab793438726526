"""Many photos in one request: each is answered as if it had come alone."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.errors import DatabaseUnavailable, ImageUnreadable, Overloaded
from app.operations.identify.photo_by_photo import each_photo
from tests.api.conftest import Enroll, image, images, photo, problem
from tests.kit import photos

NAMES = ("group", "coffee", "hopper_again", "astronaut_again", "hopper")
BAD = [
    ("images", ("empty.jpg", b"")),
    ("images", ("half.jpg", photo("astronaut")[:5_000])),
    ("images", ("large.jpg", b"x" * 20_000_001)),
]


def _sent(way: str, **options: Any) -> dict[str, Any]:
    if way == "form":
        return {"files": images(*NAMES), "data": options}
    return {"json": {"images": [b64encode(photo(n)).decode() for n in NAMES], **options}}


@pytest.mark.parametrize("way", ["form", "json"])
def test_identified_photos_are_answered_as_each_alone(
    client: TestClient, collection: str, enroll: Enroll, way: str
) -> None:
    enroll("astronaut", name="Eileen")
    enroll("hopper", name="Grace")
    url = f"/v1/collections/{collection}/identify"
    options = {"top_k": 1, "target_fpir": 0.02, "max_faces": 1, "quality_filter": "low"}
    response = client.post(f"{url}:batch", **_sent(way, **options))
    assert response.status_code == 200, response.text
    alone = [client.post(url, files=image(name), data=options).json() for name in NAMES]
    assert response.json() == {
        "results": [
            {"index": index, "result": result, "error": None} for index, result in enumerate(alone)
        ]
    }
    assert alone[0]["faces"][0]["status"] == "match"


@pytest.mark.parametrize("way", ["form", "json"])
def test_embedded_photos_are_answered_as_each_alone(client: TestClient, way: str) -> None:
    response = client.post("/v1/embed:batch", **_sent(way))
    alone = [client.post("/v1/embed", files=image(name)).json() for name in NAMES]
    assert [item["result"] for item in response.json()["results"]] == alone


def test_search_options_hold_for_every_photo(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen", attributes='{"town": "berlin"}')
    options = {"filter": '{"attributes": {"town": "cologne"}}', "terminal_id": "door"}
    response = client.post(
        f"/v1/collections/{collection}/identify:batch",
        files=images("astronaut", "astronaut_again"),
        data=options,
    )
    faces = [item["result"]["faces"][0] for item in response.json()["results"]]
    assert [(face["status"], face["candidates"]) for face in faces] == [("unknown", [])] * 2


@pytest.mark.parametrize("path", ["collections/{}/identify", "embed"])
def test_photo_that_cannot_be_used_fails_alone(
    client: TestClient, collection: str, path: str
) -> None:
    url = f"/v1/{path.format(collection)}"
    sent = [*BAD[:1], *images("hopper"), *BAD[1:]]
    response = client.post(f"{url}:batch", files=sent)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [item["index"] for item in results] == [0, 1, 2, 3]
    assert [item["result"] is None for item in results] == [True, False, True, True]
    assert results[1]["error"] is None
    for item, (_, bad) in zip([results[0], *results[2:]], BAD, strict=True):
        alone = client.post(url, files={"image": bad}).json()
        told = {**item["error"], "request_id": None}
        assert told == {**alone, "request_id": None}
        assert item["error"]["request_id"] == response.headers["x-request-id"]


def test_errors_of_the_whole_request_are_the_requests(client: TestClient, collection: str) -> None:
    def post(path: str, **sent: Any) -> Any:
        return client.post(f"/v1/{path}:batch", **sent)

    identify = f"collections/{collection}/identify"
    for path in (identify, "embed"):
        problem(post(path, files=images(*["coffee"] * 33)), 422, "invalid_request")
        problem(post(path, json={"images": ["AA=="] * 33}), 422, "invalid_request")
        problem(post(path, json={"images": []}), 422, "invalid_request")
        problem(post(path, json={"images": ["%"]}), 422, "invalid_request")
        problem(post(path, files=image("coffee")), 422, "invalid_request")
        json_lines = {"content-type": "application/x-ndjson"}
        problem(post(path, content=b"{}", headers=json_lines), 415, "unsupported_media_type")
    wrong = {"files": images("coffee"), "data": {"threshold": "2"}}
    problem(post(identify, **wrong), 422, "invalid_request")
    both = {"files": images("coffee"), "data": {"threshold": "0.9", "target_fpir": "0.1"}}
    problem(post(identify, **both), 422, "invalid_request")
    problem(post("collections/none/identify", files=images("coffee")), 404, "collection_not_found")


def test_decisions_are_counted_as_those_of_single_photos(
    client: TestClient, collection: str
) -> None:
    def unknown() -> float:
        name = 'vultus_decisions_total{operation="identify",outcome="unknown"} '
        text = client.get("/metrics").text
        return float(next((x for x in text.splitlines() if x.startswith(name)), "0 0").split()[1])

    before = unknown()
    url = f"/v1/collections/{collection}/identify:batch"
    client.post(url, files=[*images("group", "hopper"), BAD[0]])
    assert unknown() == before + 3


def test_one_request_does_not_fill_the_queue(tight: TestClient) -> None:
    """One worker, one place to wait: more photos at once than both would be refused."""
    small = photos.encoded(photos.hopper().resize((256, 300)), quality=80)
    response = tight.post("/v1/embed:batch", files=[("images", ("a.jpg", small))] * 5)
    assert response.status_code == 200, response.text
    assert [item["error"] for item in response.json()["results"]] == [None] * 5


async def test_photos_are_worked_on_so_many_at_a_time_and_answered_in_order() -> None:
    working, most = 0, 0

    async def do(name: bytes) -> bytes:
        nonlocal working, most
        working += 1
        most = max(most, working)
        for _ in range(10 - int(name)):  # the later ones would end first
            await asyncio.sleep(0)
        working -= 1
        return name

    names = [b"%d" % number for number in range(10)]
    assert await each_photo(names, do, concurrency=3) == names
    assert most == 3


async def test_overload_is_a_photos_own_unless_it_is_everybodys() -> None:
    async def do(name: bytes) -> bytes:
        await asyncio.sleep(0)
        if name == b"full":
            raise Overloaded("full")
        if name == b"bad":
            raise ImageUnreadable("bad")
        if name == b"defect":
            raise DatabaseUnavailable("gone")
        return name

    some = await each_photo([b"full", b"good", b"full"], do, concurrency=2)
    assert isinstance(some[0], Overloaded)
    assert some[1] == b"good"
    unlike = await each_photo([b"full", b"bad"], do, concurrency=2)
    assert [type(one) for one in unlike] == [Overloaded, ImageUnreadable]
    with pytest.raises(Overloaded):
        await each_photo([b"full", b"full"], do, concurrency=2)
    with pytest.raises(DatabaseUnavailable):
        await each_photo([b"good", b"defect"], do, concurrency=2)


def test_request_whose_photos_are_all_refused_is_refused(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        await asyncio.sleep(0)
        raise Overloaded("full")

    monkeypatch.setattr("app.recognition.pipeline.Recognizer.embed", full)
    for path in (f"collections/{collection}/identify", "embed"):
        response = client.post(f"/v1/{path}:batch", files=images("coffee", "hopper"))
        problem(response, 503, "overloaded")
        assert int(response.headers["retry-after"]) >= 1
