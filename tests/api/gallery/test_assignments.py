"""Faces that are nobody's over HTTP: they are assigned to people, and people lose them again."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.people import embedding, enroll_all, like, names, search

UNKNOWN = "f" * 32
ADA = embedding(1)

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def free(client: TestClient, collection: str) -> list[str]:
    """Ids of three faces that are nobody's: two of Ada, one of Bob."""
    (gone,) = enroll_all(
        client,
        collection,
        {"external_id": "gone", "embeddings": [ADA, like(ADA, 0.9), embedding(2)], "force": True},
    )
    people = f"/v1/collections/{collection}/identities"
    faces = client.get(f"{people}/{gone}/faces").json()["faces"]
    receipt = client.delete(f"{people}/{gone}", params={"keep_faces": True}).json()
    assert (receipt["identity_ids"], receipt["face_ids"]) == ([gone], [])
    return [face["id"] for face in faces]


@pytest.fixture
def send(client: TestClient, collection: str) -> Send:
    """Assign faces to `ext:ada`, or release them."""
    (_,) = enroll_all(client, collection, {"name": "Ada", "external_id": "ada"})

    def post(verb: str, face_ids: list[str], *, key: str | None = None, **more: Any) -> Any:
        url = f"/v1/collections/{collection}/identities/ext:ada/faces:{verb}"
        headers = {} if key is None else {"idempotency-key": key}
        answer = client.post(url, json={"face_ids": face_ids, **more}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


def outcomes(done: dict[str, Any]) -> dict[str, str]:
    return {face["face_id"]: face["outcome"] for face in done["faces"]}


def test_faces_are_assigned_and_released_under_their_ids(
    client: TestClient, collection: str, free: list[str], send: Send
) -> None:
    first, second, other = free
    assert outcomes(send("assign", [first])) == {first: "assigned"}
    done = send("assign", [first, second, other, UNKNOWN], key="once")
    assert outcomes(done) == {
        first: "already_assigned",
        second: "assigned",
        other: "low_match_confidence",
        UNKNOWN: "face_not_found",
    }
    assert (done["identity"]["face_count"], done["identity"]["name"]) == (2, "Ada")
    assert send("assign", [first, second, other, UNKNOWN], key="once") == done
    assert names(search(client, collection, ADA))[0] == "Ada"
    (refused,) = (face for face in done["faces"] if face["face_id"] == other)
    assert refused["similarity"] < refused["threshold"]
    assert refused["identity_id"] not in {None, done["identity"]["id"]}
    released = send("release", [second, other])
    assert outcomes(released) == {second: "released", other: "not_assigned"}
    assert released["identity"]["face_count"] == 1


def test_a_rate_a_threshold_or_force_decides_what_is_like_a_person(
    free: list[str], send: Send
) -> None:
    first, second, other = free
    send("assign", [first])
    strict = send("assign", [second], threshold=0.95)
    assert outcomes(strict) == {second: "low_match_confidence"}
    (face,) = strict["faces"]
    assert (face["similarity"], face["threshold"]) == (pytest.approx(0.9, abs=2e-3), 0.95)
    (stricter,) = send("assign", [UNKNOWN, other], target_fmr=1e-6)["faces"][1:]
    assert stricter["threshold"] > send("assign", [other])["faces"][0]["threshold"]
    assert outcomes(send("assign", [other], force=True)) == {other: "assigned"}


def test_what_cannot_be_meant_is_refused(
    client: TestClient, collection: str, free: list[str]
) -> None:
    enroll_all(client, collection, {"name": "Ada", "external_id": "ada"})
    people = f"/v1/collections/{collection}/identities"
    url = f"{people}/ext:ada/faces:assign"
    problem(client.post(url, json={"face_ids": []}), 422, "invalid_request")
    problem(client.post(url, json={"face_ids": [UNKNOWN] * 101}), 422, "invalid_request")
    both = {"face_ids": free, "threshold": 0.5, "target_fmr": 1e-3}
    problem(client.post(url, json=both), 422, "invalid_request")
    most = {"face_ids": free, "most_faces": 2}
    problem(client.post(url, json=most), 409, "too_many_faces")
    nobody = f"{people}/ext:eve/faces:assign"
    problem(client.post(nobody, json={"face_ids": free}), 404, "identity_not_found")
    (face,) = client.get(f"/v1/collections/{collection}/faces", params={"face_id": free[0]}).json()[
        "faces"
    ]
    anonymous = f"{people}/{face['identity_id']}"
    for answer in (
        client.post(f"{anonymous}/faces:assign", json={"face_ids": free}),
        client.post(f"{anonymous}/faces:release", json={"face_ids": free}),
        client.delete(anonymous, params={"keep_faces": True}),
    ):
        assert "anonymous" in problem(answer, 422, "invalid_request")["detail"]
