"""Strangers on photos are kept, shown and named over HTTP, where a collection asks for it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import image, images, problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, like, search

pytestmark = sqlite_only

ADA, BOB = embedding(1), embedding(2)


@pytest.fixture
def collection(client: TestClient, collection: str) -> str:
    """Keeps unknown faces."""
    _want(client, collection, keep=True)
    return collection


@pytest.fixture
def url(collection: str) -> str:
    return f"/v1/collections/{collection}/unknowns"


def _want(client: TestClient, collection: str, **options: Any) -> None:
    response = client.patch(
        f"/v1/collections/{collection}", json={"options": {"unknowns": options}}
    )
    assert response.status_code == 200, response.text


def _identify(client: TestClient, collection: str, name: str, **options: str) -> Any:
    response = client.post(
        f"/v1/collections/{collection}/identify", files=image(name), data=options
    )
    assert response.status_code == 200, response.text
    return response.json()["faces"]


def _groups(client: TestClient, url: str, **query: Any) -> list[dict[str, Any]]:
    response = client.get(url, params=query)
    assert response.status_code == 200, response.text
    groups: list[dict[str, Any]] = response.json()["groups"]
    return groups


def test_stranger_seen_twice_is_one_group_and_recognised_once_named(
    client: TestClient, collection: str, url: str
) -> None:
    (first,) = _identify(client, collection, "hopper", terminal_id="door")
    (second,) = _identify(client, collection, "hopper_again")
    (other,) = _identify(client, collection, "astronaut")
    assert first["unknown_group_id"] == second["unknown_group_id"] != other["unknown_group_id"]
    group_id = first["unknown_group_id"]
    assert [group["id"] for group in _groups(client, url)] == [other["unknown_group_id"], group_id]
    assert [group["id"] for group in _groups(client, url, min_count=2)] == [group_id]
    counted = client.get(f"/v1/collections/{collection}").json()
    assert (counted["unknown_count"], counted["unknown_face_count"]) == (2, 3)
    shown = client.get(f"{url}/{group_id}").json()
    assert (shown["seen_count"], shown["face_count"]) == (2, 2)
    assert [face["terminal_id"] for face in shown["faces"]] == ["door", None]
    assert [face["box"] for face in shown["faces"]] == [first["box"], second["box"]]
    assert shown["faces"][0]["similarity"] is None
    named = client.post(f"{url}/{group_id}:name", json={"name": "Grace", "external_id": "g"})
    assert named.status_code == 201, named.text
    body = named.json()
    assert (body["identity"]["name"], body["identity"]["face_count"]) == ("Grace", 2)
    assert [face["image_index"] for face in body["faces"]] == [0, 1]
    assert body["rejected"] == []
    (again,) = _identify(
        client, collection, "hopper_again", min_revision=str(body["identity"]["revision"])
    )
    assert (again["status"], again["identity"]["name"]) == ("match", "Grace")
    assert again["unknown_group_id"] is None
    problem(client.get(f"{url}/{group_id}"), 404, "unknown_group_not_found")
    assert [group["id"] for group in _groups(client, url)] == [other["unknown_group_id"]]


def test_same_photo_again_is_not_counted_and_each_of_its_faces_is_kept(
    client: TestClient, collection: str, url: str
) -> None:
    faces = _identify(client, collection, "group")
    assert len({face["unknown_group_id"] for face in faces}) == len(faces) == 2
    assert _identify(client, collection, "group") == faces
    assert [group["seen_count"] for group in _groups(client, url)] == [1, 1]


def test_only_the_unknown_faces_of_a_photo_are_kept(
    client: TestClient, collection: str, url: str
) -> None:
    client.post(
        f"/v1/collections/{collection}/identities",
        data={"name": "Eileen"},
        files=images("astronaut"),
    ).raise_for_status()
    grace, eileen = _identify(client, collection, "group")
    assert (grace["status"], eileen["status"]) == ("unknown", "match")
    assert eileen["unknown_group_id"] is None
    (group,) = _groups(client, url)
    (face,) = client.get(f"{url}/{group['id']}").json()["faces"]
    assert group["id"] == grace["unknown_group_id"]
    assert face["box"] == grace["box"]
    assert face["similarity"] == pytest.approx(grace["similarity"])
    assert face["nearest_identity_id"] == grace["candidates"][0]["identity_id"]


def test_nothing_is_kept_unless_the_collection_asks_for_it(
    client: TestClient, collection: str, url: str
) -> None:
    _want(client, collection, keep=False)
    (face,) = _identify(client, collection, "hopper")
    assert (face["status"], face["unknown_group_id"]) == ("unknown", None)
    assert search(client, collection, ADA)["unknown_group_id"] is None
    assert _groups(client, url) == []


def test_faces_of_a_request_with_keep_unknown_false_are_not_kept(
    client: TestClient, collection: str, url: str
) -> None:
    asked = {"keep_unknown": False}
    (face,) = _identify(client, collection, "hopper", keep_unknown="false")
    in_query = client.post(
        f"/v1/collections/{collection}/identify", params=asked, files=image("hopper")
    )
    batch = client.post(
        f"/v1/collections/{collection}/identify:batch",
        data={"keep_unknown": "false"},
        files=images("hopper", "astronaut"),
    )
    found = search(client, collection, ADA, **asked)
    answers = [
        face,
        *in_query.json()["faces"],
        *(face for item in batch.json()["results"] for face in item["result"]["faces"]),
        found,
    ]
    assert [answer["status"] for answer in answers] == ["unknown"] * 5
    assert [answer["unknown_group_id"] for answer in answers] == [None] * 5
    assert _groups(client, url) == []
    (kept,) = _identify(client, collection, "hopper", keep_unknown="true")
    assert [group["id"] for group in _groups(client, url)] == [kept["unknown_group_id"]]
    assert face == {**kept, "unknown_group_id": None}, "the decision itself is the same"


def test_terminal_remembers_a_match_of_a_request_with_keep_unknown_false(
    client: TestClient, collection: str
) -> None:
    enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
    options = {"terminal_id": "door", "keep_unknown": False}
    assert search(client, collection, ADA, **options)["matched_stage"] == 0
    assert search(client, collection, ADA, **options)["matched_stage"] == "terminal"


def test_embeddings_are_kept_by_search_once_each(
    client: TestClient, collection: str, url: str
) -> None:
    first = search(client, collection, ADA)["unknown_group_id"]
    assert search(client, collection, ADA)["unknown_group_id"] == first
    assert search(client, collection, like(ADA, 0.95))["unknown_group_id"] == first
    assert search(client, collection, BOB)["unknown_group_id"] != first
    assert [group["seen_count"] for group in _groups(client, url, order="largest")] == [2, 1]
    page = client.get(url, params={"limit": 1, "order": "largest"}).json()
    assert page["groups"][0]["id"] == first
    query = {"limit": 1, "order": "largest", "cursor": page["next_cursor"]}
    assert [group["id"] for group in _groups(client, url, **query)] != [first]
    problem(client.get(url, params={**query, "order": "newest"}), 422, "invalid_request")


def test_enrolled_people_are_no_strangers_whatever_the_request_says(
    client: TestClient, collection: str, url: str
) -> None:
    enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
    nearly = like(ADA, 0.96)
    elsewhere = {"filter": {"attributes": {"site": "nowhere"}}}
    for probe, options in ((nearly, {"threshold": 0.99}), (ADA, elsewhere)):
        found = search(client, collection, probe, **options)
        assert (found["status"], found["unknown_group_id"]) == ("unknown", None)
    kept = search(client, collection, BOB, **elsewhere)["unknown_group_id"]
    assert [group["id"] for group in _groups(client, url)] == [kept]
    (face,) = client.get(f"{url}/{kept}").json()["faces"]
    assert face["nearest_identity_id"] is not None, "of everybody, not of the filter's people"


def test_collections_own_threshold_groups(client: TestClient, collection: str, url: str) -> None:
    client.patch(
        f"/v1/collections/{collection}",
        json={"options": {"decisions": {"identify_threshold": 0.5}}},
    ).raise_for_status()
    for probe in (ADA, like(ADA, 0.75)):
        search(client, collection, probe, threshold=0.9)
    assert [group["seen_count"] for group in _groups(client, url)] == [2]


def test_groups_are_merged_split_and_dismissed(
    client: TestClient, collection: str, url: str
) -> None:
    ada, bob = (search(client, collection, one)["unknown_group_id"] for one in (ADA, BOB))
    merged = client.post(f"{url}:merge", json={"group_ids": [bob, ada]})
    assert merged.status_code == 200, merged.text
    assert (merged.json()["id"], merged.json()["seen_count"]) == (ada, 2)
    problem(
        client.post(f"{url}:merge", json={"group_ids": [bob, ada]}), 404, "unknown_group_not_found"
    )
    faces = [face["id"] for face in client.get(f"{url}/{ada}").json()["faces"]]
    all_of_them = client.post(f"{url}/{ada}:split", json={"face_ids": faces})
    assert "leave at least one" in problem(all_of_them, 422, "invalid_request")["detail"]
    split = client.post(f"{url}/{ada}:split", json={"face_ids": faces[1:]})
    assert split.status_code == 201, split.text
    new = split.json()["id"]
    assert search(client, collection, like(BOB, 0.97))["unknown_group_id"] == new
    receipt = client.delete(f"{url}/{new}", params={"compact": True}).json()
    assert (receipt["group_ids"], len(receipt["face_ids"])) == ([new], 2)
    assert receipt["compacted"] is True
    problem(client.delete(f"{url}/{new}"), 404, "unknown_group_not_found")
    problem(client.delete(f"{url}/{ada}/faces/{faces[1]}"), 404, "unknown_face_not_found")
    receipt = client.delete(f"{url}/{ada}/faces/{faces[0]}").json()
    assert (receipt["group_ids"], receipt["face_ids"]) == ([ada], faces[:1])
    assert _groups(client, url) == []


def test_group_is_added_to_an_enrolled_person(
    client: TestClient, collection: str, url: str
) -> None:
    (ada,) = enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
    group = search(client, collection, BOB)["unknown_group_id"]
    named = client.post(f"{url}/{group}:name", json={"identity_id": ada}).json()
    assert (named["identity"]["id"], named["identity"]["face_count"]) == (ada, 2)
    # Halfway between the two, which have nothing in common.
    assert search(client, collection, BOB, threshold=0.6)["identity"]["name"] == "ada"
    again = search(client, collection, embedding(3))["unknown_group_id"]
    for body, status, code in (
        ({"identity_id": ada, "name": "x"}, 422, "invalid_request"),
        ({"identity_id": "nobody"}, 404, "identity_not_found"),
        ({"face_ids": []}, 422, "invalid_request"),
        ({"face_ids": ["nothing"]}, 404, "unknown_face_not_found"),
    ):
        problem(client.post(f"{url}/{again}:name", json=body), status, code)
    assert [entry["id"] for entry in _groups(client, url)] == [again]


def test_same_photo_is_enrolled_once_a_person(
    client: TestClient, collection: str, url: str
) -> None:
    """Two faces of one photo, taken for one person."""
    groups = [face["unknown_group_id"] for face in _identify(client, collection, "group")]
    merged = client.post(f"{url}:merge", json={"group_ids": groups}).json()["id"]
    named = client.post(f"{url}/{merged}:name", json={}).json()
    assert [(face["image_index"], face["already_enrolled"]) for face in named["faces"]] == [
        (0, False),
        (1, True),
    ]
    assert named["rejected"] == []
    assert _groups(client, url) == []


def test_erasing_a_person_tells_of_the_unknown_faces_that_went_along(
    client: TestClient, collection: str, url: str
) -> None:
    search(client, collection, like(ADA, 0.97))
    stranger = search(client, collection, BOB)["unknown_group_id"]
    (ada,) = enroll_all(client, collection, {"embeddings": [ADA]})
    receipt = client.delete(f"/v1/collections/{collection}/identities/{ada}").json()
    assert (receipt["face_count"], receipt["unknown_face_count"]) == (1, 1)
    assert [group["id"] for group in _groups(client, url)] == [stranger]


def test_metrics_count_the_faces_kept(client: TestClient, collection: str) -> None:
    def kept() -> float:
        lines = client.get("/metrics").text.splitlines()
        (value,) = [x.split()[1] for x in lines if x.startswith("vultus_unknown_faces_total ")]
        return float(value)

    before = kept()
    search(client, collection, ADA)
    assert kept() == before + 1


@pytest.mark.parametrize("verb", ["name", "split", "unknown"])
def test_verbs_are_no_part_of_an_id(client: TestClient, url: str, verb: str) -> None:
    response = client.get(f"{url}/group:{verb}")
    assert response.status_code == (404 if verb == "unknown" else 405)


def test_a_photo_finds_the_groups_of_a_person_and_nothing_of_it_is_kept(
    client: TestClient, collection: str, url: str
) -> None:
    (hopper,) = _identify(client, collection, "hopper")
    (other,) = _identify(client, collection, "astronaut")
    before = _groups(client, url)
    response = client.post(f"{url}:search", files=image("hopper_again"), data={"top_k": "2"})
    assert response.status_code == 200, response.text
    (face,) = response.json()["faces"]
    near, far = face["groups"]
    assert near["id"] == hopper["unknown_group_id"]
    assert far["id"] == other["unknown_group_id"]
    assert near["similarity"] > face["threshold"] > far["similarity"]
    assert near["face_count"] == 1
    assert _groups(client, url) == before


def test_an_empty_inbox_is_searched_in_vain(client: TestClient, url: str) -> None:
    response = client.post(f"{url}:search", files=image("hopper"))
    (face,) = response.json()["faces"]
    assert face["groups"] == []
    assert face["threshold"] is None
