"""Searches by the template of an enrolled person, and the rates around a decision."""

from collections.abc import Callable

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.operations.policy.decisions import SearchOptions
from app.services import Services
from tests.api.conftest import problem
from tests.api.people import embedding, enroll_all, expire, like, names
from tests.kit.default_network import CALIBRATION

PROBE = embedding(0)
OWN = [like(PROBE, 0.9, seed=seed) for seed in (1, 2, 3)]
OTHERS = {"near": like(PROBE, 0.7, seed=4), "far": like(PROBE, 0.1, seed=5)}


@pytest.fixture
def people(client: TestClient, collection: str) -> dict[str, str]:
    """Ida, with three faces, and two others with one each."""
    examples = {"Ida": OWN, **{name: [values] for name, values in OTHERS.items()}}
    ids = enroll_all(
        client,
        collection,
        *({"name": n, "embeddings": e, "external_id": n.lower()} for n, e in examples.items()),
    )
    return dict(zip(examples, ids, strict=True))


def test_a_person_is_searched_by_the_mean_of_their_faces_among_all_others(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/search"
    for ref in (people["Ida"], "ext:ida"):
        found = client.post(url, json={"identity_id": ref, "top_k": 500}).json()
        assert names(found) == ["near", "far"]
        template = np.mean(OWN, axis=0) / np.linalg.norm(np.mean(OWN, axis=0))
        wanted = float(template @ OTHERS["near"])
        assert found["similarity"] == pytest.approx(wanted, abs=1e-5)
        assert found["status"] == "match"
        assert found["identity"]["id"] == people["near"]


def test_a_template_as_probe_needs_more_for_the_same_rate(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/search"
    by_template = client.post(url, json={"identity_id": people["Ida"], "target_fpir": 0.01}).json()
    by_face = client.post(url, json={"embedding": PROBE, "target_fpir": 0.01}).json()
    gain = CALIBRATION.gain(3)
    assert gain > 1
    wanted = CALIBRATION.identification_threshold(0.01 / gain, people=3, faces=5)
    assert by_template["threshold"] == pytest.approx(wanted)
    assert by_template["threshold"] > by_face["threshold"]
    fpir = CALIBRATION.fpir(by_template["similarity"], people=3, faces=5).value
    assert by_template["fpir"]["value"] == pytest.approx(fpir * gain)


def test_who_is_not_there_cannot_be_searched(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/search"
    problem(client.post(url, json={"identity_id": "0" * 32}), 404, "identity_not_found")
    expire(client, collection, people["near"])
    problem(client.post(url, json={"identity_id": people["near"]}), 404, "identity_not_found")
    bare = client.post(f"/v1/collections/{collection}/identities", json={"name": "bare"}).json()
    body = {"identity_id": bare["identity"]["id"]}
    problem(client.post(url, json=body), 422, "identity_without_face")
    both = {"identity_id": people["Ida"], "embedding": PROBE}
    problem(client.post(url, json=both), 422, "invalid_request")


def test_searches_by_a_person_count_for_the_people_found(
    with_settings: Callable[..., TestClient], collection: str, people: dict[str, str]
) -> None:
    limited = with_settings(exact_similarities=False, limits={"searches_per_person": 1})
    url = f"/v1/collections/{collection}/search"
    body = {"identity_id": people["Ida"]}
    assert limited.post(url, json=body).status_code == 200
    problem(limited.post(url, json=body), 429, "too_many_searches")


def test_a_decision_has_the_rates_around_its_threshold(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    assert client.portal is not None
    decision, _ = client.portal.call(
        services.identify.embedding, collection, PROBE, SearchOptions(top_k=5)
    )
    scale = decision.scale
    assert scale is not None
    assert scale.threshold == decision.threshold
    assert scale.ratio(decision.threshold) == 1
    assert decision.candidates[0].identity.id == people["Ida"]
    ratios = [scale.ratio(found.similarity) for found in decision.candidates]
    matches = [found.similarity >= decision.threshold for found in decision.candidates]
    assert [ratio is not None and ratio <= 1 for ratio in ratios] == matches == [True, True, False]
