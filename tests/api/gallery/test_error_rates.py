"""Thresholds that follow from error rates, ambiguous answers, and calibrations of collections."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, like, names, search
from tests.kit.default_network import CALIBRATION, MATCH

pytestmark = sqlite_only

PROBE = embedding(0)
TWIN, OTHER_TWIN = like(PROBE, 0.97, seed=1), like(PROBE, 0.968, seed=2)


def enroll(client: TestClient, collection: str, **people: list[Any]) -> list[str]:
    return enroll_all(
        client,
        collection,
        *({"name": name, "embeddings": embeddings} for name, embeddings in people.items()),
    )


def patch(client: TestClient, collection: str, **decisions: object) -> None:
    answer = client.patch(
        f"/v1/collections/{collection}", json={"options": {"decisions": decisions}}
    )
    assert answer.status_code == 200, answer.text


def test_threshold_follows_from_how_many_are_searched(client: TestClient, collection: str) -> None:
    enroll(client, collection, first=[embedding(1)])
    alone = search(client, collection, PROBE, target_fpir=0.01)
    assert alone["searched"] == {"people": 1, "faces": 1}
    assert alone["threshold"] == pytest.approx(CALIBRATION.threshold(0.01), abs=1e-3)
    people = enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(2, 102)})
    many = search(client, collection, PROBE, target_fpir=0.01)
    assert many["searched"] == {"people": 101, "faces": 101}
    assert many["threshold"] > alone["threshold"]
    assert many["fpir"]["low"] <= many["fpir"]["value"] <= many["fpir"]["high"]
    client.delete(f"/v1/collections/{collection}/identities/{people[0]}").raise_for_status()
    fewer = search(client, collection, PROBE, target_fpir=0.01)
    assert fewer["searched"] == {"people": 100, "faces": 100}
    few = search(client, collection, PROBE, target_fpir=0.01, filter={"identity_ids": ["0" * 32]})
    assert few["searched"] == {"people": 0, "faces": 0}
    assert few["fpir"] is None


def test_several_examples_count_as_more_people(client: TestClient, collection: str) -> None:
    own = embedding(1)
    enroll(client, collection, one=[own])
    single = search(client, collection, PROBE, target_fpir=0.01)
    enroll(client, collection, more=[embedding(2), like(embedding(2), 0.98)])
    several = search(client, collection, PROBE, target_fpir=0.01)
    assert several["searched"] == {"people": 2, "faces": 3}
    assert several["threshold"] > single["threshold"]
    found = search(client, collection, embedding(2))
    assert found["candidates"][0]["examples"] == 2


def test_stages_share_the_rate(client: TestClient, collection: str) -> None:
    enroll(client, collection, a=[embedding(1)], b=[embedding(2)])
    once = search(client, collection, PROBE, target_fpir=0.01)
    staged = search(client, collection, PROBE, target_fpir=0.01, stages=[{}, {}])
    assert staged["threshold"] > once["threshold"]
    own = search(client, collection, PROBE, target_fpir=0.01, stages=[{}, {"threshold": 0.5}])
    assert own["threshold"] == 0.5


def test_two_people_too_alike_to_tell_are_both_listed_and_neither_asserted(
    client: TestClient, collection: str
) -> None:
    enroll(client, collection, twin=[TWIN], other=[OTHER_TWIN])
    found = search(client, collection, PROBE, threshold=0.9, top_k=1)
    assert (found["status"], found["identity"], found["matched_stage"]) == ("ambiguous", None, 0)
    assert names(found) == ["twin", "other"]
    patch(client, collection, margin=0.0)
    found = search(client, collection, PROBE, threshold=0.9, top_k=1)
    assert (found["status"], found["identity"]["name"]) == ("match", "twin")
    assert names(found) == ["twin"]


def test_person_with_a_threshold_of_their_own_matches_from_there_on(
    client: TestClient, collection: str
) -> None:
    (twin,) = enroll(client, collection, twin=[TWIN])
    path = f"/v1/collections/{collection}/identities/{twin}"
    assert client.patch(path, json={"threshold": 0.98}).json()["threshold"] == 0.98
    assert search(client, collection, PROBE, threshold=0.9)["status"] == "unknown"
    assert search(client, collection, TWIN, threshold=0.9)["status"] == "match"
    client.patch(path, json={"threshold": None}).raise_for_status()
    assert search(client, collection, PROBE, threshold=0.9)["status"] == "match"


def test_status_does_not_depend_on_how_many_candidates_are_asked_for(
    client: TestClient, collection: str
) -> None:
    """The third is who makes it ambiguous: the second is held back."""
    _, twin, _ = enroll(
        client,
        collection,
        first=[like(PROBE, 0.960, seed=1)],
        twin=[like(PROBE, 0.959, seed=2)],
        third=[like(PROBE, 0.958, seed=3)],
    )
    path = f"/v1/collections/{collection}/identities/{twin}"
    client.patch(path, json={"threshold": 0.99}).raise_for_status()
    for top_k in (1, 2, 3, 10):
        found = search(client, collection, PROBE, threshold=0.94, top_k=top_k)
        assert found["status"] == "ambiguous"
        assert len(found["candidates"]) == min(3, max(2, top_k))


def test_collections_defaults_are_its_options(client: TestClient, collection: str) -> None:
    enroll(client, collection, twin=[TWIN])
    assert search(client, collection, PROBE)["threshold"] == pytest.approx(MATCH)
    patch(client, collection, target_fpir=0.1)
    loose = search(client, collection, PROBE)["threshold"]
    assert loose == pytest.approx(CALIBRATION.threshold(0.1), abs=1e-3)
    patch(client, collection, identify_threshold=0.5)
    assert search(client, collection, PROBE)["threshold"] == 0.5
    patch(client, collection, identify_threshold=None, target_fpir=None)
    assert search(client, collection, PROBE)["threshold"] == pytest.approx(MATCH)


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0.9, "target_fpir": 0.01},
        {"target_fpir": 0},
        {"target_fpir": 1},
        {"target_fpir": True},
        {"threshold": True},
    ],
)
def test_rates_that_make_no_threshold_are_refused(
    client: TestClient, collection: str, options: dict[str, Any]
) -> None:
    answer = client.post(
        f"/v1/collections/{collection}/search", json={"embedding": PROBE, **options}
    )
    problem(answer, 422, "invalid_request")


def test_collection_is_calibrated_on_its_own_people(client: TestClient, collection: str) -> None:
    path = f"/v1/collections/{collection}/calibration"
    before = client.get(path).json()
    assert (before["own"], before["people"]) == (False, CALIBRATION.people)
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(1, 40)})
    body = problem(client.post(path), 422, "calibration_impossible")
    assert "39 people are too few" in body["detail"]
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(40, 121)})
    usual = search(client, collection, PROBE)["threshold"]
    measured = client.post(path)
    assert measured.status_code == 200, measured.text
    assert measured.json() == client.get(path).json()
    assert (measured.json()["own"], measured.json()["people"]) == (True, 120)
    assert measured.json()["pairs"] == 120 * 119 // 2
    own = search(client, collection, PROBE)["threshold"]
    assert own != pytest.approx(usual, abs=1e-3)
    assert client.delete(path).status_code == 204
    assert client.get(path).json() == before
    assert search(client, collection, PROBE)["threshold"] == usual
    for method in ("GET", "POST", "DELETE"):
        problem(
            client.request(method, "/v1/collections/nowhere/calibration"),
            404,
            "collection_not_found",
        )


def curve(client: TestClient, collection: str, **query: str | float) -> dict[str, Any]:
    answer = client.get(f"/v1/collections/{collection}/calibration/curve", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_curve_has_the_rates_that_answers_claim(client: TestClient, collection: str) -> None:
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(1, 21)})
    drawn = curve(client, collection, target_fpir=0.05)
    assert (drawn["own"], drawn["measured_at"], drawn["people"]) == (
        False,
        None,
        CALIBRATION.people,
    )
    assert drawn["data_ends"] == CALIBRATION.data_ends
    similarities = [point["similarity"] for point in drawn["points"]]
    assert similarities == sorted({*CALIBRATION.similarities, CALIBRATION.data_ends})
    for point in drawn["points"]:
        rate = CALIBRATION.fmr(point["similarity"])
        assert point["fmr"] == {
            "value": rate.value,
            "low": rate.low,
            "high": rate.high,
            "extrapolated": point["similarity"] > CALIBRATION.data_ends,
        }
    by_people = {row["people"]: row for row in drawn["needed"]}
    found = search(client, collection, PROBE, target_fpir=0.05)
    assert found["searched"]["people"] == 20
    assert by_people[20]["threshold"] == found["threshold"]


def test_curve_marks_what_was_not_measured(client: TestClient, collection: str) -> None:
    drawn = curve(client, collection, target_fpir=0.01)
    thresholds = [row["threshold"] for row in drawn["needed"]]
    assert thresholds == sorted(thresholds)
    assert [row["people"] for row in drawn["needed"]][:4] == [1, 2, 5, 10]
    for row in drawn["needed"]:
        assert row["extrapolated"] == (row["threshold"] > drawn["data_ends"])
        assert row["fpir"]["low"] <= row["fpir"]["value"] <= row["fpir"]["high"]
        assert row["reached"] == (row["fpir"]["value"] <= 0.01)
    assert {row["extrapolated"] for row in drawn["needed"]} == {True, False}
    several = curve(client, collection, target_fpir=0.01, faces_per_person=5)
    assert several["needed"][3]["threshold"] > drawn["needed"][3]["threshold"]


def test_curve_has_the_rates_of_a_fixed_similarity_among_more_people(
    client: TestClient, collection: str
) -> None:
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(1, 21)})
    assert curve(client, collection)["at"] is None
    planned = curve(client, collection, people=700, similarity=0.4, target_fpir=0.05)
    at = planned["at"]
    assert (at["similarity"], at["people"]) == (0.4, 700)
    assert at["fmr"]["value"] == CALIBRATION.fmr(0.4).value
    assert at["fpir"]["value"] == CALIBRATION.fpir(0.4, people=700, faces=700).value
    (needed,) = (row for row in planned["needed"] if row["people"] == 700)
    threshold = needed["threshold"]
    same = curve(client, collection, people=700, similarity=threshold)["at"]["fpir"]
    assert same == needed["fpir"]
    assert planned["in_use"]["people"] == 20


def test_curve_is_of_the_collections_calibration_or_of_the_embedders(
    client: TestClient, collection: str
) -> None:
    before = curve(client, collection)
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(59)})
    enroll(client, collection, two=[embedding(59), like(embedding(59), 0.905)])
    client.post(f"/v1/collections/{collection}/calibration").raise_for_status()
    own, embedders = curve(client, collection), curve(client, collection, of="embedder")
    assert (own["own"], own["people"], own["source"]) == (
        True,
        60,
        f"the people enrolled in {collection!r}",
    )
    assert own["measured_at"] is not None
    counted = own["histograms"]
    assert (sum(counted["impostors"]), sum(counted["genuine"])) == (60 * 59 // 2, 1)
    assert len(counted["edges"]) == len(counted["impostors"]) + 1 == len(counted["genuine"]) + 1
    place = counted["genuine"].index(1)
    assert counted["edges"][place] <= 0.905 < counted["edges"][place + 1]
    assert embedders["histograms"] is None
    assert (embedders["own"], embedders["points"]) == (False, before["points"])
    assert own["in_use"] == embedders["in_use"]
    patch(client, collection, identify_threshold=0.5, target_fpir=None)
    fixed = curve(client, collection)
    assert fixed["in_use"]["identify"] == 0.5
    assert fixed["needed"] == own["needed"]


@pytest.mark.parametrize(
    "query",
    [{"target_fpir": 0}, {"faces_per_person": 0.5}, {"of": "nobody"}, {"faces": 3}, {"people": 0}],
)
def test_curves_of_nothing_are_refused(
    client: TestClient, collection: str, query: dict[str, Any]
) -> None:
    url = f"/v1/collections/{collection}/calibration/curve"
    problem(client.get(url, params=query), 422, "invalid_request")
    nowhere = "/v1/collections/nowhere/calibration/curve"
    problem(client.get(nowhere), 404, "collection_not_found")


def test_calibration_of_a_deleted_collection_is_gone(client: TestClient, collection: str) -> None:
    enroll(client, collection, **{f"p{n}": [embedding(n)] for n in range(60)})
    client.post(f"/v1/collections/{collection}/calibration").raise_for_status()
    client.delete(f"/v1/collections/{collection}").raise_for_status()
    client.post("/v1/collections", json={"name": collection}).raise_for_status()
    assert not client.get(f"/v1/collections/{collection}/calibration").json()["own"]
