"""Anonymous people over HTTP: enrolled, found, listed where they are asked for, and named."""

from typing import Any

from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, problem
from tests.api.people import embedding, enroll_all


def _listed(client: TestClient, collection: str, **query: str) -> list[str]:
    answer = client.get(f"/v1/collections/{collection}/identities", params=query).json()
    return [person["id"] for person in answer["identities"]]


def _identified(client: TestClient, collection: str, name: str, **fields: str) -> dict[str, Any]:
    answer = client.post(
        f"/v1/collections/{collection}/identify", files=image(name), data=fields
    ).json()
    face: dict[str, Any] = answer["faces"][0]
    return face


def test_an_anonymous_person_is_found_and_hinders_no_enrolment(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    created = enroll("astronaut", anonymous=True)
    assert created.status_code == 201
    stranger = created.json()["identity"]
    assert stranger["anonymous"] is True
    found = _identified(client, collection, "astronaut_again")
    assert (found["status"], found["identity"]["id"]) == ("match", stranger["id"])
    known = enroll("astronaut_again", name="Eileen")  # 409 if she were enrolled
    assert known.status_code == 201
    only_known = _identified(client, collection, "astronaut", filter='{"anonymous": "exclude"}')
    assert only_known["identity"]["name"] == "Eileen"
    assert [one["name"] for one in only_known["candidates"]] == ["Eileen"]


def test_lists_have_them_if_asked_and_a_name_makes_them_known(
    client: TestClient, collection: str
) -> None:
    known, stranger = enroll_all(
        client,
        collection,
        {"name": "Ada", "embeddings": [embedding(1)]},
        {"anonymous": True, "embeddings": [embedding(2)]},
    )
    assert _listed(client, collection) == [known]
    assert _listed(client, collection, anonymous="only") == [stranger]
    assert _listed(client, collection, anonymous="include") == [known, stranger]
    everybody = {"consent": "missing"}
    assert _listed(client, collection, **everybody) == [known, stranger]
    assert _listed(client, collection, **everybody, anonymous="exclude") == [known]
    client.put(f"/v1/collections/{collection}/identities/{stranger}/hold", json={"reason": "x"})
    assert _listed(client, collection, held="true") == [stranger]
    counted = client.get(f"/v1/collections/{collection}").json()
    assert (counted["identity_count"], counted["anonymous_count"]) == (1, 1)
    path = f"/v1/collections/{collection}/identities/{stranger}"
    assert client.patch(path, json={"name": "Bob"}).json()["anonymous"] is False
    assert _listed(client, collection) == [known, stranger]


def test_anonymous_people_with_a_name_or_without_a_face_are_refused(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    problem(enroll("astronaut", anonymous=True, name="Eileen"), 422, "invalid_request")
    nobody = client.post(f"/v1/collections/{collection}/identities", json={"anonymous": True})
    assert "anonymous people need images" in problem(nobody, 422, "invalid_request")["detail"]
