"""Searches that answer faces, whoever has them."""

from base64 import b64encode
from collections.abc import Callable
from math import inf
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import ImageFilter

from app.operations.identify.face_search import FaceSearchOptions
from app.services import Services
from tests.api.conftest import Enroll, image, photo, problem
from tests.api.people import embedding, enroll_all, like
from tests.kit import photos
from tests.kit.api_keys import new_key
from tests.kit.default_network import CALIBRATION

PROBE = embedding(0)
TWICE = [like(PROBE, 0.9, seed=1), like(PROBE, 0.8, seed=2)]
ONCE = [like(PROBE, 0.7, seed=3)]
FAR = [like(PROBE, 0.1, seed=4)]
SHOWN_FROM = CALIBRATION.threshold(1e-2)

Find = Callable[..., dict[str, Any]]


@pytest.fixture
def people(client: TestClient, collection: str) -> dict[str, str]:
    """Three people by name, of whom the first has two faces."""
    examples = {"twice": TWICE, "once": ONCE, "far": FAR}
    ids = enroll_all(
        client,
        collection,
        *({"name": n, "force": True, "embeddings": e} for n, e in examples.items()),
    )
    return dict(zip(examples, ids, strict=True))


@pytest.fixture
def find(client: TestClient, collection: str) -> Find:
    def send(**fields: object) -> dict[str, Any]:
        response = client.post(f"/v1/collections/{collection}/faces:search", json=fields)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    return send


def similarities(found: dict[str, Any]) -> list[float]:
    return [match["similarity"] for match in found["matches"]]


def owners(found: dict[str, Any]) -> list[str]:
    return [match["face"]["identity"]["name"] for match in found["matches"]]


def faces_of(client: TestClient, collection: str, identity_id: str) -> list[str]:
    url = f"/v1/collections/{collection}/identities/{identity_id}/faces"
    return [face["id"] for face in client.get(url).json()["faces"]]


@pytest.mark.usefixtures("people")
def test_every_face_that_matches_is_answered_by_its_own_similarity(find: Find) -> None:
    found = find(embedding=PROBE)
    assert owners(found) == ["twice", "twice", "once"]
    assert similarities(found) == pytest.approx([0.9, 0.8, 0.7], abs=1e-5)
    assert found["searched"] == {"people": 3, "faces": 4}
    for match in found["matches"]:
        rate = CALIBRATION.fpir(match["similarity"], people=4, faces=4).value
        assert match["fpir"]["value"] == pytest.approx(rate)
    assert len(find(embedding=PROBE, top_k=1)["matches"]) == 1


@pytest.mark.usefixtures("people")
def test_the_threshold_is_that_of_as_many_people_as_faces(find: Find) -> None:
    wanted = CALIBRATION.identification_threshold(0.001, people=4, faces=4)
    assert find(embedding=PROBE, target_fpir=0.001)["threshold"] == pytest.approx(wanted)
    stricter = find(embedding=PROBE, threshold=0.75)
    assert (stricter["threshold"], owners(stricter)) == (0.75, ["twice", "twice"])
    assert owners(find(embedding=PROBE, threshold=-1)) == ["twice", "twice", "once", "far"]


def test_an_enrolled_face_is_left_out_of_its_own_answer_unless_asked_for(
    client: TestClient, collection: str, people: dict[str, str], find: Find
) -> None:
    first, second = faces_of(client, collection, people["twice"])
    found = find(face_id=first)
    assert first not in [match["face"]["id"] for match in found["matches"]]
    with_itself = find(face_id=first, exclude_probe=False)
    assert with_itself["matches"][0]["face"]["id"] == first
    assert similarities(with_itself)[0] == pytest.approx(1)
    assert second in [match["face"]["id"] for match in with_itself["matches"]]


def test_a_person_is_searched_without_their_own_faces_unless_asked_for(
    people: dict[str, str], find: Find
) -> None:
    found = find(identity_id=people["twice"])
    assert owners(found) == ["once"]
    more = find(identity_id=people["twice"], exclude_probe=False)
    assert owners(more) == ["twice", "twice", "once"]
    assert found["threshold"] > find(embedding=PROBE)["threshold"]


def test_only_faces_of_the_people_wanted_are_searched(people: dict[str, str], find: Find) -> None:
    found = find(embedding=PROBE, filter={"identity_ids": [people["once"]]})
    assert (owners(found), found["searched"]) == (["once"], {"people": 1, "faces": 1})


def test_faces_keep_to_their_persons_own_threshold(
    client: TestClient, collection: str, people: dict[str, str], find: Find
) -> None:
    url = f"/v1/collections/{collection}/identities/{people['twice']}"
    client.patch(url, json={"threshold": 0.85}).raise_for_status()
    assert similarities(find(embedding=PROBE)) == pytest.approx([0.9, 0.7], abs=1e-5)


def test_the_face_of_a_photo_is_searched(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enrolled = enroll("hopper", name="Grace").json()
    enroll("astronaut", name="Eileen")
    url = f"/v1/collections/{collection}/faces:search"
    found = client.post(url, files=image("hopper_again")).json()
    (match,) = found["matches"]
    assert match["face"]["id"] == enrolled["faces"][0]["id"]
    assert (found["rejected"], found["rate_reason"]) == (None, None)
    assert found["probe"]["quality"] > 40
    assert found["image"]["width"] > 0
    problem(client.post(url, files=image("group")), 422, "several_faces")
    largest = client.post(url, files=image("group"), data={"faces": "largest"}).json()
    assert owners(largest) == ["Grace"]
    problem(client.post(url, files=image("coffee")), 422, "no_face")
    blurred = photos.encoded(photos.hopper().filter(ImageFilter.GaussianBlur(6)))
    strict = {"quality_filter": "high"}
    bad = client.post(url, files={"image": ("blurred.jpg", blurred)}, data=strict).json()
    assert (bad["matches"], bad["rate_reason"]) == ([], "rejected")
    assert bad["rejected"]["reasons"] == ["low_sharpness"]
    assert bad["probe"]["quality"] < 80
    gone = client.post("/v1/collections/nowhere/faces:search", files=image("coffee"))
    problem(gone, 404, "collection_not_found")


@pytest.mark.usefixtures("people")
def test_faces_further_away_are_answered_up_to_a_ratio_of_rates(
    client: TestClient, collection: str
) -> None:
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)

    def count(max_ratio: float) -> int:
        assert client.portal is not None
        options = FaceSearchOptions(top_k=4_096, max_ratio=max_ratio)
        found = client.portal.call(services.search_faces.embedding, collection, PROBE, options)
        ratios = [found.scale.ratio(match.similarity) or 0 for match in found.matches]
        assert ratios == sorted(ratios)
        assert max(ratios, default=0) <= max_ratio
        return len(ratios)

    assert [count(ratio) for ratio in (1.0, inf)] == [3, 4]
    assert count(1e-9) < 3


@pytest.mark.usefixtures("people")
def test_searches_without_a_photo_count_and_withhold_as_others_do(
    with_settings: Callable[..., TestClient], collection: str
) -> None:
    limited = with_settings(exact_similarities=False, limits={"searches_per_person": 1})
    url = f"/v1/collections/{collection}/faces:search"
    found = limited.post(url, json={"embedding": PROBE, "threshold": -1}).json()
    assert owners(found) == ["twice", "twice", "once"]
    assert similarities(found) == [0.9, 0.8, 0.7]
    assert found["shown_from"] == found["threshold"] == SHOWN_FROM
    problem(limited.post(url, json={"embedding": PROBE}), 429, "too_many_searches")
    encoded = b64encode(photo("hopper")).decode()
    assert limited.post(url, json={"image": encoded}).status_code == 200


def test_an_embedding_needs_templates(tight: TestClient) -> None:
    tight.post("/v1/collections", json={"name": "by-face"}).raise_for_status()
    enroll_all(tight, "by-face", {"name": "one", "embeddings": ONCE})
    _, operator = new_key(tight, role="operator")
    url = "/v1/collections/by-face/faces:search"
    refused = problem(
        tight.post(url, json={"embedding": PROBE}, headers=operator), 403, "missing_right"
    )
    assert refused["missing_right"] == "templates"
    both = {"embedding": PROBE, "face_id": "x"}
    problem(tight.post(url, json=both), 422, "invalid_request")
