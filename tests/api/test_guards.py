"""Enrolling the right person, over HTTP and with real photos."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.api.conftest import Enroll, images, photo, problem
from tests.api.people import counts, embedding, like, lines, send


def test_photo_of_somebody_enrolled_is_refused_for_a_new_person_with_whom(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    eileen = enroll("astronaut", name="Eileen", external_id="e1").json()["identity"]["id"]
    body = problem(enroll("astronaut_again", name="Other"), 409, "belongs_to_another_identity")
    (refused,) = body["rejected"]
    assert refused["reasons"] == ["belongs_to_another_identity"]
    found = refused["resemblance"]
    assert (found["identity_id"], found["name"], found["external_id"]) == (eileen, "Eileen", "e1")
    assert found["threshold"] <= found["similarity"] <= 1
    assert "force=true" in body["detail"]
    assert counts(client, collection) == (1, 1)
    forced = enroll("astronaut_again", name="Twin", force="true")
    assert forced.status_code == 201
    assert forced.json()["faces"][0]["forced"] is True
    url = f"/v1/collections/{collection}/identities/{forced.json()['identity']['id']}/faces"
    assert client.get(url).json()["faces"][0]["forced"] is True


def test_photo_of_another_person_is_refused_for_a_known_one(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    eileen = enroll("astronaut", name="Eileen").json()["identity"]["id"]
    url = f"/v1/collections/{collection}/identities/{eileen}/faces"
    body = problem(client.post(url, files=images("hopper")), 409, "low_match_confidence")
    found = body["rejected"][0]["resemblance"]
    assert found["identity_id"] == eileen
    assert found["similarity"] < found["threshold"]
    grace = enroll("hopper", name="Grace").json()["identity"]["id"]
    body = problem(
        client.post(url, files=images("hopper_again")), 409, "belongs_to_another_identity"
    )
    assert body["rejected"][0]["resemblance"]["identity_id"] == grace
    mixed = client.post(url, files=images("astronaut_again", "coffee", "hopper_again"))
    assert mixed.status_code == 201
    assert [face["image_index"] for face in mixed.json()["faces"]] == [0]
    assert [image["reasons"] for image in mixed.json()["rejected"]] == [
        ["no_face"],
        ["belongs_to_another_identity"],
    ]
    forced = client.post(url, files=images("hopper"), params={"force": "true"})
    assert forced.json()["faces"][0]["forced"] is True
    assert counts(client, collection) == (2, 4)


def test_photos_of_two_people_make_no_person(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    body = problem(enroll("astronaut", "hopper"), 409, "low_match_confidence")
    assert not any("identity_id" in image["resemblance"] for image in body["rejected"])
    done = enroll("astronaut", "hopper", "astronaut_again")
    assert [face["image_index"] for face in done.json()["faces"]] == [0, 2]
    body = problem(enroll("astronaut", "coffee"), 409, "wrong_person")
    assert len(body["rejected"]) == 2
    assert counts(client, collection) == (1, 2)


def test_lines_with_photos_are_guarded_and_those_with_embeddings_when_they_ask(
    client: TestClient, collection: str
) -> None:
    encoded = [b64encode(photo(name)).decode("ascii") for name in ("hopper", "hopper_again")]
    near = like(embedding(1), 0.99)
    results = send(
        client,
        collection,
        lines(
            {"external_id": "1", "images": [encoded[0]]},
            {"external_id": "2", "images": [encoded[1]]},
            {"external_id": "3", "images": [encoded[1]], "force": True},
            {"external_id": "4", "embeddings": [embedding(1)]},
            {"external_id": "5", "embeddings": [near]},
        ),
    )
    assert [result["status"] for result in results] == [
        "enrolled",
        "rejected",
        "enrolled",
        "enrolled",
        "enrolled",
    ]
    assert results[1]["code"] == "belongs_to_another_identity"
    found = results[1]["rejected"][0]["resemblance"]
    assert found["identity_id"] == results[0]["identity_id"]
    (asked,) = send(client, collection, lines({"embeddings": [near], "guards": True}))
    assert (asked["status"], asked["code"]) == ("rejected", "belongs_to_another_identity")
    (refused,) = asked["rejected"]
    assert (refused["image_index"], refused["embedding_index"]) == (None, 0)


def test_doctor_names_who_is_enrolled_twice(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen")
    enroll("hopper", name="Grace")
    enroll("astronaut_again", name="E. Collins", force="true")
    url = f"/v1/collections/{collection}/doctor"
    body = client.get(url).json()
    (finding,) = body["findings"]
    assert finding["kind"] == "duplicate"
    assert (finding["identity"]["name"], finding["other"]["name"]) == ("Eileen", "E. Collins")
    assert finding["similarity"] >= finding["threshold"]
    assert "merge them" in finding["advice"]
    assert (body["identities_examined"], body["faces_examined"]) == (3, 3)
    assert body["next_cursor"] is None
    problem(client.get(f"{url}x"), 404, "not_found")
    problem(client.get("/v1/collections/none/doctor"), 404, "collection_not_found")


def follow(client: TestClient, action: dict[str, Any]) -> Response:
    return client.request(action["method"], action["path"], json=action["body"])


def test_what_the_doctor_advises_can_be_done_as_it_is(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen")
    enroll("astronaut_again", external_id="emp-1", force="true")
    grace = enroll("hopper", name="Grace").json()["identity"]["id"]
    url = f"/v1/collections/{collection}"
    (duplicate,) = client.get(f"{url}/doctor").json()["findings"]
    client.patch(f"{url}/identities/ext:emp-1", json={"name": "Eileen C."}).raise_for_status()
    problem(follow(client, duplicate["action"]), 409, "revision_conflict")
    (duplicate,) = client.get(f"{url}/doctor").json()["findings"]
    done = follow(client, duplicate["action"]).json()
    assert (done["identity"]["external_id"], done["identity"]["face_count"]) == ("emp-1", 2)
    assert client.get(f"{url}/doctor").json()["findings"] == []
    wrong = client.post(
        f"{url}/identities/ext:emp-1/faces", files=images("hopper_again"), data={"force": "true"}
    ).json()["faces"][0]["id"]
    (mislabel,) = client.get(f"{url}/doctor").json()["findings"]
    assert (mislabel["kind"], mislabel["face_id"]) == ("mislabel", wrong)
    moved = follow(client, mislabel["action"]).json()
    assert (moved["identity"]["id"], moved["face"]["forced"]) == (grace, False)
    client.delete(f"{url}/identities/{grace}").raise_for_status()
    added = client.post(
        f"{url}/identities/ext:emp-1/faces", files=images("hopper"), data={"force": "true"}
    ).json()["faces"][0]["id"]
    (outlier,) = client.get(f"{url}/doctor").json()["findings"]
    assert outlier["kind"] == "outlier"
    assert follow(client, outlier["action"]).json()["face_ids"] == [added]
    assert client.get(f"{url}/doctor").json()["findings"] == []


def test_findings_that_are_none_are_dismissed_and_restored(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    url = f"/v1/collections/{collection}"
    one = enroll("astronaut", "astronaut_again", name="Eileen").json()["identity"]["id"]
    enroll("astronaut_again", external_id="twin", force="true")
    wrong = client.post(
        f"{url}/identities/{one}/faces", files=images("hopper"), data={"force": "true"}
    ).json()["faces"][0]["id"]
    findings = client.get(f"{url}/doctor").json()["findings"]
    assert [finding["kind"] for finding in findings] == ["outlier", "duplicate"]
    outlier, duplicate = findings
    assert follow(client, outlier["dismissal"]).json() == {"changed": 1}
    assert follow(client, outlier["dismissal"]).json() == {"changed": 0}
    assert client.get(f"{url}/doctor").json()["findings"] == [duplicate]
    assert follow(client, duplicate["dismissal"]).json() == {"changed": 1}
    assert client.get(f"{url}/doctor").json()["findings"] == []
    first = client.get(f"{url}/doctor/dismissals", params={"limit": 1}).json()
    (face,) = first["dismissals"]
    assert (face["face_id"], [who["name"] for who in face["identities"]]) == (wrong, ["Eileen"])
    cursor = {"cursor": first["next_cursor"]}
    (pair,) = client.get(f"{url}/doctor/dismissals", params=cursor).json()["dismissals"]
    assert (pair["face_id"], pair["identities"][1]["external_id"]) == (None, "twin")
    restored = client.post(
        f"{url}/doctor:restore", json={"pairs": [["ext:twin", one]], "face_ids": [wrong]}
    )
    assert restored.json() == {"changed": 2}
    assert client.get(f"{url}/doctor").json()["findings"] == findings


def test_dismissals_of_nothing_are_refused(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/doctor:dismiss"
    nobody = "0" * 32
    for body in ({}, {"pairs": [[nobody]]}, {"pairs": [[nobody] * 3]}, {"face_ids": nobody}):
        problem(client.post(url, json=body), 422, "invalid_request")
    pair = {"pairs": [[nobody, "ext:a"]]}
    problem(client.post(url, json=pair), 404, "identity_not_found")
    problem(client.post(url, json={"face_ids": [nobody]}), 404, "face_not_found")
    for verb in ("dismiss", "restore"):
        elsewhere = f"/v1/collections/none/doctor:{verb}"
        problem(client.post(elsewhere, json=pair), 404, "collection_not_found")


def test_guards_can_be_turned_off(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, device="cpu", guards={"enabled": False})
    with TestClient(create_app(settings, build_services(settings))) as client:
        url = "/v1/collections/default/identities"
        for _ in range(2):
            done = client.post(url, files=images("astronaut"))
            assert done.status_code == 201
            assert done.json()["faces"][0]["forced"] is False
