"""1:1 over HTTP."""

from base64 import b64encode

import pytest
from fastapi.testclient import TestClient

from models.zoo.names import DEFAULT_NETWORK
from tests.api.conftest import Enroll, image, photo, problem
from tests.api.people import expire
from tests.kit.default_network import MATCH


def _pair(a: str, b: str) -> dict[str, tuple[str, bytes]]:
    return {**image(a, "image_a"), **image(b, "image_b")}


def test_two_photos_of_one_person_match(client: TestClient) -> None:
    body = client.post("/v1/verify", files=_pair("astronaut", "astronaut_again")).json()
    assert body["match"] is True
    assert body["similarity"] >= body["threshold"] == MATCH
    assert len(body["faces"]) == 2
    assert body["model"]["name"] == DEFAULT_NETWORK


def test_photos_of_two_people_do_not_match(client: TestClient) -> None:
    body = client.post("/v1/verify", files=_pair("astronaut", "hopper")).json()
    assert body["match"] is False
    assert body["similarity"] < body["threshold"]


def test_similarity_comes_with_the_rate_at_which_strangers_reach_it(client: TestClient) -> None:
    same = client.post("/v1/verify", files=_pair("astronaut", "astronaut_again")).json()
    other = client.post("/v1/verify", files=_pair("astronaut", "hopper")).json()
    assert same["fmr"]["value"] < 1e-3 < other["fmr"]["value"] <= 1
    for answer in (same, other):
        assert answer["fmr"]["low"] <= answer["fmr"]["value"] <= answer["fmr"]["high"]
    strict = client.post(
        "/v1/verify", data={"target_fmr": 1e-5}, files=_pair("astronaut", "hopper")
    ).json()
    assert strict["threshold"] > other["threshold"]
    both = {"target_fmr": 1e-5, "threshold": 0.9}
    problem(
        client.post("/v1/verify", data=both, files=_pair("astronaut", "hopper")),
        422,
        "invalid_request",
    )


def test_person_of_two_examples_is_compared_by_their_mean(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enrolled = enroll("astronaut", "astronaut_again").json()
    fields = {"collection": collection, "identity_id": enrolled["identity"]["id"]}
    two = client.post("/v1/verify", data=fields, files=image("hopper")).json()
    assert two["examples"] == 2
    one = client.post("/v1/verify", files=_pair("astronaut", "hopper")).json()
    assert two["threshold"] > one["threshold"]  # the same rate wants more of a mean


@pytest.mark.parametrize(("threshold", "match"), [(-1, True), (1, False)])
def test_the_requests_threshold_decides(client: TestClient, threshold: float, match: bool) -> None:
    body = client.post(
        "/v1/verify", data={"threshold": threshold}, files=_pair("astronaut", "hopper")
    ).json()
    assert (body["match"], body["threshold"]) == (match, threshold)


def test_json_answers_as_the_form_does(client: TestClient) -> None:
    names = {"image_a": "astronaut", "image_b": "hopper"}
    encoded = {field: b64encode(photo(name)).decode("ascii") for field, name in names.items()}
    by_json = client.post("/v1/verify", json=encoded).json()
    by_form = client.post("/v1/verify", files=_pair("astronaut", "hopper")).json()
    assert by_json == by_form


@pytest.mark.parametrize(("person", "match"), [("astronaut_again", True), ("hopper", False)])
def test_photo_is_compared_with_an_enrolled_person(
    client: TestClient, collection: str, enroll: Enroll, person: str, match: bool
) -> None:
    enrolled = enroll("astronaut", name="Eileen").json()
    fields = {"collection": collection, "identity_id": enrolled["identity"]["id"]}
    body = client.post("/v1/verify", data=fields, files=image(person)).json()
    assert body["match"] is match
    assert body["identity"]["name"] == "Eileen"
    assert body["face_id"] == enrolled["faces"][0]["id"]
    assert len(body["faces"]) == 1


def test_the_unusable_photo_is_named(client: TestClient) -> None:
    body = problem(client.post("/v1/verify", files=_pair("astronaut", "coffee")), 422, "no_face")
    assert body["detail"].startswith("image_b")
    body = problem(client.post("/v1/verify", files=_pair("group", "hopper")), 422, "several_faces")
    assert body["detail"].startswith("image_a")
    assert len(body["rejected"][0]["faces"]) == 2


def test_largest_face_is_compared_when_asked_for(client: TestClient) -> None:
    body = client.post(
        "/v1/verify", data={"faces": "largest"}, files=_pair("group", "hopper_again")
    ).json()
    assert body["match"] is True


@pytest.mark.parametrize("fields", [["image_a"], ["image"], ["image_a", "image_b", "image"]])
def test_a_mixture_of_the_two_ways_is_refused(client: TestClient, fields: list[str]) -> None:
    files = {field: ("a.jpg", photo("coffee")) for field in fields}
    body = problem(client.post("/v1/verify", files=files), 422, "invalid_request")
    assert "image_a and image_b" in body["detail"]


def test_unknown_person_is_not_found(client: TestClient, collection: str) -> None:
    fields = {"collection": collection, "identity_id": "0" * 32}
    response = client.post("/v1/verify", data=fields, files=image("hopper"))
    problem(response, 404, "identity_not_found")


def test_person_who_has_expired_is_not_found(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enrolled = enroll("hopper").json()
    expire(client, collection, enrolled["identity"]["id"])
    fields = {"collection": collection, "identity_id": enrolled["identity"]["id"]}
    response = client.post("/v1/verify", data=fields, files=image("hopper"))
    problem(response, 404, "identity_not_found")
