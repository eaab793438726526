"""What a caller without the right `templates` learns of similarities."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.settings import Settings
from tests.api.conftest import Enroll, image, images, problem
from tests.api.people import as_base64, embedding, enroll_all, like, lines, names, search, send
from tests.kit.api_keys import new_key
from tests.kit.default_network import CALIBRATION, MATCH

SHOWN_FROM = CALIBRATION.threshold(1e-2)
PROBE = embedding(1)
NEARLY, FAR = (SHOWN_FROM + MATCH) / 2, 0.2


@pytest.fixture
def veiled(with_settings: Callable[..., TestClient]) -> TestClient:
    """The service as it is by default, without keys."""
    return with_settings(exact_similarities=False)


@pytest.fixture
def people(client: TestClient, collection: str) -> dict[str, str]:
    """Three people by name, each less alike to the probe."""
    alike = {"alike": 0.7312468, "nearly": NEARLY, "far": FAR}
    ids = enroll_all(
        client,
        collection,
        *(
            {"name": name, "embeddings": [like(PROBE, similarity, seed=seed)]}
            for seed, (name, similarity) in enumerate(alike.items(), start=50)
        ),
    )
    return dict(zip(alike, ids, strict=True))


def _only(identity_id: str) -> dict[str, Any]:
    return {"filter": {"identity_ids": [identity_id]}}


def test_similarities_far_below_the_threshold_are_withheld_with_all_that_says_them(
    veiled: TestClient, collection: str, people: dict[str, str]
) -> None:
    found = search(veiled, collection, PROBE, **_only(people["far"]))
    assert (found["status"], found["candidates"], found["similarity"]) == ("unknown", [], None)
    assert (found["fpir"], found["rate_reason"]) == (None, "withheld")
    assert found["shown_from"] == SHOWN_FROM
    assert found["searched"]["people"] == 1


def test_others_have_three_decimals_and_the_rate_of_these(
    veiled: TestClient, collection: str, people: dict[str, str]
) -> None:
    found = search(veiled, collection, PROBE)
    assert names(found) == ["alike", "nearly"]
    assert (found["status"], found["similarity"]) == ("match", 0.731)
    assert [one["similarity"] for one in found["candidates"]] == [0.731, round(NEARLY, 3)]
    assert found["fpir"]["value"] == CALIBRATION.fpir(0.731, people=3, faces=3).value
    assert people["alike"] == found["identity"]["id"]


@pytest.mark.usefixtures("people")
def test_rounded_similarity_stays_on_its_side_of_the_threshold(
    veiled: TestClient, collection: str
) -> None:
    for threshold, status in ((0.7311, "match"), (0.7314, "unknown")):
        found = search(veiled, collection, PROBE, threshold=threshold)
        assert found["status"] == status
        assert (found["similarity"] >= threshold) == (status == "match")


@pytest.mark.parametrize(
    "options",
    [{"threshold": -1}, {"target_fpir": 0.99}, {"stages": [{"threshold": 0.1}]}],
    ids=["threshold", "rate", "stage"],
)
def test_no_request_decides_below_what_is_shown(
    veiled: TestClient, collection: str, people: dict[str, str], options: dict[str, Any]
) -> None:
    within = options if "stages" not in options else {}
    if not within:
        stage = {"threshold": 0.1, "filter": {"identity_ids": [people["far"]]}}
        within = {"stages": [stage]}
    else:
        within = {**within, **_only(people["far"])}
    found = search(veiled, collection, PROBE, **within)
    assert (found["status"], found["threshold"]) == ("unknown", SHOWN_FROM)


def test_options_of_a_collection_do_not_lower_what_is_shown(
    veiled: TestClient, collection: str, people: dict[str, str]
) -> None:
    decisions = {"identify_threshold": -1, "verify_threshold": -1}
    changed = veiled.patch(
        f"/v1/collections/{collection}", json={"options": {"decisions": decisions}}
    )
    changed.raise_for_status()
    found = search(veiled, collection, PROBE, **_only(people["far"]))
    assert (found["status"], found["threshold"]) == ("unknown", SHOWN_FROM)


def test_same_person_is_found_a_few_times_an_hour(
    with_settings: Callable[..., TestClient], collection: str, people: dict[str, str]
) -> None:
    limited = with_settings(exact_similarities=False, limits={"searches_per_person": 2})
    for _ in range(2):
        search(limited, collection, PROBE, **_only(people["alike"]))
    body = {"embedding": PROBE, **_only(people["alike"])}
    refused = limited.post(f"/v1/collections/{collection}/search", json=body)
    problem(refused, 429, "too_many_searches")
    assert 0 < int(refused.headers["retry-after"]) <= 1_800
    # Whomever it is for: else the refusal would say who is found.
    for other in ("nearly", "far"):
        body = {"embedding": PROBE, **_only(people[other])}
        assert limited.post(f"/v1/collections/{collection}/search", json=body).status_code == 429


def test_searches_in_vain_are_limited(
    with_settings: Callable[..., TestClient], collection: str, people: dict[str, str]
) -> None:
    limited = with_settings(exact_similarities=False, limits={"searches_in_vain": 2})
    body = {"embedding": PROBE, **_only(people["far"])}
    url = f"/v1/collections/{collection}/search"
    assert [limited.post(url, json=body).status_code for _ in range(3)] == [200, 200, 429]
    known = {"embedding": PROBE, **_only(people["alike"])}
    problem(limited.post(url, json=known), 429, "too_many_searches")


def test_embedding_is_not_computed_from_answers_around_another_photo(
    veiled: TestClient, collection: str, people: dict[str, str]
) -> None:
    stored = np.array(like(PROBE, 0.7312468, seed=50))
    drawn = np.random.default_rng(5)
    probes, answers, refused = [], [], 0
    for _ in range(60):
        away = drawn.normal(size=stored.size)
        away -= (away @ PROBE) * np.array(PROBE)
        probe = np.sqrt(1 - 0.16) * np.array(PROBE) + 0.4 * away / np.linalg.norm(away)
        body = {"embedding": probe.tolist(), **_only(people["alike"])}
        answer = veiled.post(f"/v1/collections/{collection}/search", json=body)
        refused += answer.status_code == 429
        if answer.status_code == 200 and answer.json()["candidates"]:
            probes.append(probe)
            answers.append(answer.json()["similarity"])
    assert (len(answers), refused) == (20, 40)
    found = np.linalg.lstsq(np.array(probes), np.array(answers), rcond=None)[0]
    assert found @ stored / np.linalg.norm(found) < 0.85


def test_photos_are_not_counted(
    with_settings: Callable[..., TestClient], collection: str, enroll: Enroll
) -> None:
    enroll("hopper", name="Grace")
    limited = with_settings(exact_similarities=False, limits={"searches_per_person": 1})
    for _ in range(3):
        url = f"/v1/collections/{collection}/identify"
        (face,) = limited.post(url, files=image("hopper_again")).json()["faces"]
        assert face["status"] == "match"


def test_photo_unlike_an_enrolled_person_is_compared_without_a_number(
    veiled: TestClient, collection: str, enroll: Enroll
) -> None:
    eileen = enroll("astronaut", name="Eileen").json()["identity"]["id"]
    fields = {"collection": collection, "identity_id": eileen}
    done = veiled.post("/v1/verify", data=fields, files=image("hopper")).json()
    assert (done["status"], done["similarity"], done["fmr"]) == ("no_match", None, None)
    assert (done["rate_reason"], done["face_id"]) == ("withheld", None)
    assert [one["similarity"] for one in done["comparisons"]] == [None]
    low = veiled.post("/v1/verify", data={**fields, "threshold": -1}, files=image("hopper")).json()
    assert (low["match"], low["threshold"]) == (False, SHOWN_FROM)
    same = veiled.post("/v1/verify", data=fields, files=image("astronaut_again")).json()
    assert same["similarity"] == round(same["similarity"], 3) >= same["threshold"]
    assert same["face_id"] is not None


def test_two_photos_of_the_caller_are_compared_exactly(veiled: TestClient) -> None:
    pair = {**image("astronaut", "image_a"), **image("hopper", "image_b")}
    done = veiled.post("/v1/verify", files=pair).json()
    assert done["similarity"] < SHOWN_FROM
    assert done["shown_from"] is None


def test_guards_say_how_alike_only_above_the_threshold(
    veiled: TestClient, client: TestClient, collection: str, enroll: Enroll
) -> None:
    eileen = enroll("astronaut", name="Eileen").json()["identity"]["id"]
    url = f"/v1/collections/{collection}/identities/{eileen}/faces"
    unlike = problem(veiled.post(url, files=images("hopper")), 409, "low_match_confidence")
    exact = client.post(url, files=images("hopper")).json()
    number = exact["rejected"][0]["resemblance"]["similarity"]
    assert "similarity" not in unlike["rejected"][0]["resemblance"]
    assert f"{number:.4f}" in exact["rejected"][0]["detail"]
    assert f"{number:.4f}" not in unlike["rejected"][0]["detail"]
    people_url = f"/v1/collections/{collection}/identities"
    again = problem(
        veiled.post(people_url, files=images("astronaut_again")),
        409,
        "belongs_to_another_identity",
    )
    found = again["rejected"][0]["resemblance"]
    assert found["similarity"] == round(found["similarity"], 3) >= found["threshold"]


@pytest.mark.usefixtures("people")
def test_guards_do_not_say_how_alike_an_embedding_is(veiled: TestClient, collection: str) -> None:
    (line,) = send(
        veiled,
        collection,
        lines({"name": "probe", "embeddings": [as_base64(PROBE)], "guards": True}),
    )
    assert line["status"] == "rejected", line
    (rejected,) = line["rejected"]
    assert rejected["reasons"] == ["belongs_to_another_identity"]
    assert rejected["resemblance"]["similarity"] is None
    assert "0.73" not in rejected["detail"]


def test_assignment_does_not_say_how_alike_a_face_is_and_counts_as_a_search(
    veiled: TestClient, client: TestClient, collection: str
) -> None:
    kept = {"name": "Ada", "external_id": "ada", "embeddings": [PROBE]}
    gone = {"external_id": "gone", "embeddings": [like(PROBE, NEARLY)], "force": True}
    enroll_all(client, collection, kept, gone)
    people = f"/v1/collections/{collection}/identities"
    (face,) = client.get(f"{people}/ext:gone/faces").json()["faces"]
    client.delete(f"{people}/ext:gone", params={"keep_faces": True})
    url, sent = f"{people}/ext:ada/faces:assign", {"face_ids": [face["id"]], "threshold": 0.99}
    (answered,) = veiled.post(url, json=sent).json()["faces"]
    assert (answered["outcome"], answered["similarity"]) == ("low_match_confidence", None)
    limit = Settings().limits.searches_per_person
    answers = [veiled.post(url, json=sent).status_code for _ in range(limit)]
    assert answers == [200] * (limit - 1) + [429]


def test_assignment_by_a_threshold_that_was_given_to_the_person_counts_as_a_search(
    veiled: TestClient, client: TestClient, collection: str
) -> None:
    kept = {"name": "Ada", "external_id": "own", "embeddings": [PROBE], "threshold": 0.99}
    gone = {"external_id": "gone", "embeddings": [like(PROBE, NEARLY)], "force": True}
    enroll_all(client, collection, kept, gone)
    people = f"/v1/collections/{collection}/identities"
    (face,) = client.get(f"{people}/ext:gone/faces").json()["faces"]
    client.delete(f"{people}/ext:gone", params={"keep_faces": True})
    url, sent = f"{people}/ext:own/faces:assign", {"face_ids": [face["id"]]}
    limit = Settings().limits.searches_per_person
    answers = [veiled.post(url, json=sent).status_code for _ in range(limit + 1)]
    assert answers == [200] * limit + [429]


def test_inbox_withholds_whom_a_stranger_is_unlike(
    veiled: TestClient, client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen")
    url = f"/v1/collections/{collection}"
    client.patch(url, json={"options": {"unknowns": {"keep": True}}}).raise_for_status()
    (face,) = veiled.post(f"{url}/identify", files=image("hopper")).json()["faces"]
    group = face["unknown_group_id"]
    (kept,) = client.get(f"{url}/unknowns/{group}").json()["faces"]
    assert kept["similarity"] < SHOWN_FROM
    (seen,) = veiled.get(f"{url}/unknowns/{group}").json()["faces"]
    assert (seen["similarity"], seen["nearest_identity_id"]) == (None, None)
    assert seen["shown_from"] == SHOWN_FROM
    found = veiled.post(f"{url}/unknowns:search", files=image("astronaut")).json()["faces"]
    assert [one["groups"] for one in found] == [[]]


def test_doctor_withholds_how_unlike_a_face_is(
    veiled: TestClient, client: TestClient, collection: str
) -> None:
    person = embedding(7)
    faces = [person, like(person, 0.9, seed=8), like(person, 0.85, seed=9), like(person, FAR)]
    enroll_all(client, collection, {"name": "one", "force": True, "embeddings": faces})
    url = f"/v1/collections/{collection}/doctor"
    (exact,) = client.get(url).json()["findings"]
    (finding,) = veiled.get(url).json()["findings"]
    assert exact["kind"] == finding["kind"] == "outlier"
    assert exact["own_similarity"] < SHOWN_FROM
    assert finding["own_similarity"] is None


def test_right_templates_shows_exact_similarities(tight: TestClient) -> None:
    name = "templates"
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    enroll_all(tight, name, {"name": "far", "embeddings": [like(PROBE, FAR)]})
    _, trusted = new_key(tight, role="integrator")
    exact = tight.post(
        f"/v1/collections/{name}/search", json={"embedding": PROBE}, headers=trusted
    ).json()
    assert exact["similarity"] == pytest.approx(FAR, abs=1e-4)
    assert exact["shown_from"] is None
    _, operator = new_key(tight, role="operator")
    (face,) = tight.post(
        f"/v1/collections/{name}/identify", files=image("hopper"), headers=operator
    ).json()["faces"]
    assert (face["candidates"], face["shown_from"]) == ([], SHOWN_FROM)
