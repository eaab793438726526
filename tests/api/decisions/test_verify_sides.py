"""1:1 of any two: photos, embeddings, enrolled faces and enrolled people."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, photo, problem
from tests.api.people import Values, embedding, enroll_all, expire, like
from tests.kit.api_keys import new_key
from tests.kit.default_network import CALIBRATION, MATCH

PROBE = embedding(0)
OF_ONE = [like(PROBE, 0.8, seed=1)]
OF_OTHER = [like(PROBE, 0.7, seed=2), like(PROBE, 0.6, seed=3), like(PROBE, 0.5, seed=4)]


def cosine(a: list[Values], b: list[Values]) -> float:
    """That of the means, each scaled to length 1."""
    x, y = np.mean(a, axis=0), np.mean(b, axis=0)
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


class Enrolled:
    """A person by id, and the ids of their faces in the order enrolled."""

    def __init__(self, client: TestClient, collection: str, examples: list[Values]) -> None:
        (self.id,) = enroll_all(client, collection, {"embeddings": examples, "force": True})
        url = f"/v1/collections/{collection}/identities/{self.id}/faces"
        self.faces = [face["id"] for face in client.get(url).json()["faces"]]


@pytest.fixture
def one(client: TestClient, collection: str) -> Enrolled:
    return Enrolled(client, collection, OF_ONE)


@pytest.fixture
def other(client: TestClient, collection: str) -> Enrolled:
    return Enrolled(client, collection, OF_OTHER)


@pytest.fixture
def verify(client: TestClient, collection: str) -> Callable[..., dict[str, Any]]:
    def send(**fields: object) -> dict[str, Any]:
        enrolled = any("_id_" in name for name in fields)
        body = {**fields, **({"collection": collection} if enrolled else {})}
        response = client.post("/v1/verify", json=body)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    return send


Verify = Callable[..., dict[str, Any]]


def test_two_embeddings_are_compared_without_a_collection(verify: Verify) -> None:
    done = verify(embedding_a=PROBE, embedding_b=[7 * value for value in like(PROBE, 0.6)])
    assert done["similarity"] == pytest.approx(0.6)
    assert (done["match"], done["threshold"]) == (True, MATCH)
    assert done["fmr"]["value"] == pytest.approx(CALIBRATION.fmr(done["similarity"]).value)
    assert (done["faces"], done["identity"], done["shown_from"]) == ([], None, None)
    assert [one["face_indices"] for one in done["comparisons"]] == [[]]


def test_each_kind_of_side_is_compared_with_each(
    client: TestClient, collection: str, verify: Verify, one: Enrolled, other: Enrolled
) -> None:
    of_third = [like(PROBE, 0.65, seed=5)]
    third = Enrolled(client, collection, of_third)
    sides: list[tuple[str, object, list[Values]]] = [
        ("embedding", PROBE, [PROBE]),
        ("face_id", third.faces[0], of_third),
        ("identity_id", one.id, OF_ONE),
        ("identity_id", other.id, OF_OTHER),
    ]
    for kind_a, a, examples_a in sides:
        for kind_b, b, examples_b in sides:
            done = verify(**{f"{kind_a}_a": a, f"{kind_b}_b": b})
            assert done["similarity"] == pytest.approx(cosine(examples_a, examples_b), abs=1e-5)
            assert done["match"] == (done["similarity"] >= done["threshold"])


def test_the_answer_says_who_is_on_both_sides(
    verify: Verify, one: Enrolled, other: Enrolled
) -> None:
    done = verify(face_id_a=one.faces[0], identity_id_b=other.id)
    assert done["enrolled_a"]["identity"]["id"] == one.id
    assert (done["enrolled_a"]["face_id"], done["enrolled_a"]["examples"]) == (one.faces[0], 1)
    assert done["enrolled_b"]["identity"]["id"] == done["identity"]["id"] == other.id
    nearest = max(range(3), key=lambda place: cosine(OF_ONE, [OF_OTHER[place]]))
    assert done["enrolled_b"]["face_id"] == done["face_id"] == other.faces[nearest]
    assert done["examples"] == 3
    only_a = verify(face_id_a=one.faces[0], embedding_b=PROBE)
    assert only_a["identity"]["id"] == one.id
    assert only_a["enrolled_b"] is None


def test_a_face_is_compared_with_its_own_person_as_if_it_were_not_enrolled(
    client: TestClient, collection: str, verify: Verify, one: Enrolled, other: Enrolled
) -> None:
    for sides in (
        {"face_id_a": other.faces[0], "identity_id_b": other.id},
        {"identity_id_a": other.id, "face_id_b": other.faces[0]},
    ):
        done = verify(**sides)
        assert done["similarity"] == pytest.approx(cosine(OF_OTHER[:1], OF_OTHER[1:]), abs=1e-5)
    alone = {"face_id_a": one.faces[0], "identity_id_b": one.id, "collection": collection}
    problem(client.post("/v1/verify", json=alone), 422, "identity_without_face")


def test_two_templates_need_more_than_a_template_and_a_face(
    client: TestClient, collection: str, verify: Verify, other: Enrolled
) -> None:
    another = Enrolled(client, collection, [like(PROBE, 0.4, seed=5), like(PROBE, 0.4, seed=6)])
    both = verify(identity_id_a=another.id, identity_id_b=other.id)
    single = verify(face_id_a=another.faces[0], identity_id_b=other.id)
    assert both["threshold"] > single["threshold"] > MATCH
    gains = CALIBRATION.gain(2) * CALIBRATION.gain(3)
    assert both["threshold"] == pytest.approx(CALIBRATION.threshold(1e-3 / gains))
    rate = CALIBRATION.fmr(both["similarity"]).value * gains
    assert both["fmr"]["value"] == pytest.approx(min(1.0, rate))


def test_the_higher_threshold_of_either_person_counts(
    client: TestClient, collection: str, verify: Verify, one: Enrolled, other: Enrolled
) -> None:
    url = f"/v1/collections/{collection}/identities/{one.id}"
    client.patch(url, json={"threshold": 0.97}).raise_for_status()
    done = verify(face_id_a=one.faces[0], identity_id_b=other.id, threshold=0.1)
    assert done["threshold"] == 0.97
    assert done["comparisons"][0]["threshold"] == 0.97


def test_a_photo_is_compared_with_an_embedding_and_with_an_enrolled_face(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enrolled = enroll("hopper").json()
    embedded = client.post("/v1/embed", files=image("hopper")).json()["faces"][0]["embedding"]
    form = {"embedding_b": json.dumps(embedded)}
    done = client.post("/v1/verify", data=form, files=image("hopper", "image_a")).json()
    assert done["similarity"] == pytest.approx(1, abs=1e-4)
    assert len(done["faces"]) == 1
    form = {"face_id_a": enrolled["faces"][0]["id"], "collection": collection, "faces_b": "any"}
    done = client.post("/v1/verify", data=form, files=image("group", "image_b")).json()
    assert done["match"] is True
    assert [len(found["face_indices"]) for found in done["comparisons"]] == [1, 1]
    assert done["identity"]["id"] == enrolled["identity"]["id"]
    bad = client.post("/v1/verify", data=form, files=image("coffee", "image_b"))
    assert problem(bad, 422, "no_face")["detail"].startswith("image_b")


def test_each_side_may_have_its_own_rule_for_several_faces(client: TestClient) -> None:
    def send(**fields: object) -> Any:
        files = {**image("group", "image_a"), **image("group", "image_b")}
        return client.post("/v1/verify", data=fields, files=files)

    done = send(faces_a="largest", faces="any").json()
    assert [found["face_indices"][0] for found in done["comparisons"]] == [0, 0]
    assert sorted(found["face_indices"][1] for found in done["comparisons"]) == [0, 1]
    few = send(faces="any", max_faces=1).json()
    assert [found["face_indices"] for found in few["comparisons"]] == [[0, 0]]
    reasons = [other["reasons"] for other in few["passed_over"]]
    assert reasons == [["beyond_limit"], ["beyond_limit"]]
    assert send(faces="single", faces_b="largest").json()["code"] == "several_faces"


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"embedding_a": PROBE}, "one side b"),
        ({"embedding_a": PROBE, "face_id_a": "x", "embedding_b": PROBE}, "one side a"),
        ({"identity_id": "x", "embedding_b": PROBE}, "image and identity_id"),
        ({"embedding_a": PROBE, "face_id_b": "x"}, "the collection of face_id_b"),
        ({"embedding_a": PROBE, "embedding_b": PROBE, "collection": "a"}, "collection only with"),
        ({"embedding_a": PROBE, "embedding_b": PROBE[:-1]}, "128 finite numbers"),
        ({"embedding_a": PROBE, "embedding_b": []}, "embedding_b"),
    ],
)
def test_other_sides_are_refused_with_the_remedy(
    client: TestClient, sides: dict[str, object], words: str
) -> None:
    refused = problem(client.post("/v1/verify", json=sides), 422, "invalid_request")
    assert words in refused["detail"]


def test_a_face_that_is_not_there_or_whose_owner_has_expired_is_not_found(
    client: TestClient, collection: str, other: Enrolled
) -> None:
    encoded = b64encode(photo("coffee")).decode()  # has no face, which would be another error

    def send(**fields: object) -> Any:
        body = {"image_a": encoded, "collection": collection, **fields}
        return client.post("/v1/verify", json=body)

    problem(send(face_id_b="0" * 32), 404, "face_not_found")
    expire(client, collection, other.id)
    problem(send(face_id_b=other.faces[0]), 404, "face_not_found")
    problem(send(identity_id_b=other.id), 404, "identity_not_found")


def test_comparisons_without_a_photo_count_as_searches_of_that_person(
    with_settings: Callable[..., TestClient], collection: str, one: Enrolled, other: Enrolled
) -> None:
    limits = {"searches_per_person": 2, "searches_in_vain": 1}
    limited = with_settings(exact_similarities=False, limits=limits)
    near = {"embedding_a": PROBE, "identity_id_b": one.id, "collection": collection}
    assert [limited.post("/v1/verify", json=near).status_code for _ in range(3)] == [200, 200, 429]
    by_faces = {"face_id_a": one.faces[0], "face_id_b": other.faces[0], "collection": collection}
    problem(limited.post("/v1/verify", json=by_faces), 429, "too_many_searches")
    free = {"embedding_a": PROBE, "embedding_b": PROBE}
    assert limited.post("/v1/verify", json=free).status_code == 200


def test_similarity_to_what_is_enrolled_is_withheld_below_shown_from(
    with_settings: Callable[..., TestClient], client: TestClient, collection: str
) -> None:
    stranger = Enrolled(client, collection, [like(PROBE, 0.1)])
    body = {"embedding_a": PROBE, "identity_id_b": stranger.id, "collection": collection}
    done = with_settings(exact_similarities=False).post("/v1/verify", json=body).json()
    assert (done["similarity"], done["rate_reason"], done["face_id"]) == (None, "withheld", None)
    assert done["enrolled_b"]["face_id"] is None
    assert done["shown_from"] is not None


def test_an_embedding_needs_templates_and_an_enrolled_face_does_not(tight: TestClient) -> None:
    tight.post("/v1/collections", json={"name": "sides"}).raise_for_status()
    one = Enrolled(tight, "sides", [PROBE])
    _, operator = new_key(tight, role="operator")
    body = {"face_id_a": one.faces[0], "face_id_b": one.faces[0], "collection": "sides"}
    assert tight.post("/v1/verify", json=body, headers=operator).status_code == 200
    for sides in (
        {"embedding_a": PROBE, "face_id_b": one.faces[0], "collection": "sides"},
        {"embedding_a": PROBE, "embedding_b": PROBE},
    ):
        refused = problem(
            tight.post("/v1/verify", json=sides, headers=operator), 403, "missing_right"
        )
        assert refused["missing_right"] == "templates"
