"""Everything that is held of a person: found by id and by photo, in each collection of the key."""

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.api.schemas.people import PersonDocument
from tests.api.conftest import image, images, problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, expire, like, search
from tests.kit.api_keys import new_key

Document = dict[str, Any]
MakeCollection = Callable[..., str]

ADA, BOB, EVE = embedding(101), embedding(102), embedding(103)
CONSENT = {"purpose": "access", "text_version": "2"}


def _collections(client: TestClient) -> MakeCollection:
    def make(**options: object) -> str:
        name = f"access-{uuid4().hex[:8]}"
        made = client.post("/v1/collections", json={"name": name})
        assert made.status_code == 201, made.text
        changed = client.patch(f"/v1/collections/{name}", json={"options": options})
        assert changed.status_code == 200, changed.text
        return name

    return make


@pytest.fixture
def new_collection(client: TestClient) -> MakeCollection:
    return _collections(client)


def _export(client: TestClient, collection: str, ref: str, **query: object) -> Document:
    url = f"/v1/collections/{collection}/identities/{ref}:export"
    answer = client.get(url, params={name: str(value) for name, value in query.items()})
    return _checked(answer.status_code, answer.text, answer.json())


def _checked(status: int, text: str, document: Document) -> Document:
    """The document, whole and by its schema."""
    assert status == 200, text
    assert PersonDocument.model_validate_json(text).model_dump(mode="json") == document
    assert document["complete"] is True
    return document


def _found(document: Document, *collections: str) -> list[tuple[str, str, str]]:
    """Collection, basis and name of the people found in these collections."""
    return [
        (one["collection"], one["basis"], one["identity"]["name"])
        for one in document["people"]
        if one["collection"] in collections
    ]


def test_a_person_is_found_by_id_key_and_face_in_every_collection(
    client: TestClient, new_collection: MakeCollection
) -> None:
    home, other, inbox = new_collection(), new_collection(), new_collection(unknowns={"keep": True})
    key = f"emp-{uuid4().hex[:6]}"
    ada = {"name": "Ada", "external_id": key, "attributes": {"site": "berlin"}, "consent": CONSENT}
    (ada_id,) = enroll_all(client, home, {**ada, "embeddings": [ADA]})
    enroll_all(
        client,
        other,
        {"name": "Bob", "external_id": key, "embeddings": [BOB]},
        {"name": "Ada K.", "embeddings": [like(ADA, 0.9)]},
        {"name": "Eve", "embeddings": [EVE]},
    )
    search(client, home, ADA, terminal_id="door-1")
    group_id = search(client, inbox, like(ADA, 0.8))["unknown_group_id"]
    search(client, inbox, EVE)

    document = _export(client, home, ada_id)
    assert _found(document, home, other, inbox) == [
        (home, "identity_id", "Ada"),
        (other, "external_id", "Bob"),
        (other, "similarity", "Ada K."),
    ]
    # Other tests of this module leave people in other collections.
    people = [one for one in document["people"] if one["collection"] in {home, other, inbox}]
    held, by_key, by_face = people
    assert [one["certain"] for one in people] == [True, True, False]
    assert held["identity"]["attributes"] == {"site": "berlin"}
    assert [one["purpose"] for one in held["consents"]] == ["access"]
    assert [one["terminal_id"] for one in held["matches"]] == ["door-1"]
    assert [face["embedding"] for face in held["faces"]] == [None]
    assert "identity.created" in [line["action"] for line in held["audit"]]
    assert by_key["similarity"] is None
    assert abs(by_face["similarity"] - 0.9) < 1e-3
    assert by_face["similarity"] >= by_face["limit"]["threshold"]
    assert 0 < by_face["limit"]["fmr"]["value"] < 1e-2
    (group,) = [one for one in document["unknown_groups"] if one["collection"] == inbox]
    assert (group["group"]["id"], group["certain"]) == (group_id, False)
    assert len(group["faces"]) == 1
    searched = {one["name"]: one for one in document["collections"]}
    assert searched[other]["people"] == by_face["limit"]
    assert searched[home]["unknowns"] is None
    assert searched[inbox]["not_searched"] is None
    assert document["asked"] == {"collection": home, "identity_id": ada_id, "image_sha256": None}
    client.app.state.services.reads.flush()  # type: ignore[attr-defined]
    wanted = {"action": "person.exported", "collection": inbox}
    (line,) = client.get("/v1/audit", params=wanted).json()["lines"]
    assert line["identity_id"] is None  # an unknown face alone was read there


def test_the_same_embedding_is_certain_and_a_rate_decides_what_is_alike(
    client: TestClient, new_collection: MakeCollection
) -> None:
    home, other = new_collection(), new_collection()
    (ada_id,) = enroll_all(client, home, {"name": "Ada", "embeddings": [ADA]})
    enroll_all(
        client,
        other,
        {"name": "same", "embeddings": [ADA]},
        {"name": "alike", "embeddings": [like(ADA, 0.5)]},
    )
    wide = _export(client, home, ada_id, target_fmr=1e-3)
    assert _found(wide, other) == [(other, "same_photo", "same"), (other, "similarity", "alike")]
    narrow = _export(client, home, ada_id, target_fmr=1e-9)
    assert _found(narrow, other) == [(other, "same_photo", "same")]
    limits = [doc["collections"][0]["people"]["threshold"] for doc in (wide, narrow)]
    assert limits[0] < limits[1]


def test_who_has_expired_is_held_until_they_are_erased(
    client: TestClient, new_collection: MakeCollection
) -> None:
    home, other = new_collection(), new_collection()
    (ada_id,) = enroll_all(client, home, {"name": "Ada", "embeddings": [ADA]})
    (other_id,) = enroll_all(client, other, {"name": "Ada K.", "embeddings": [like(ADA, 0.9)]})
    client.put(f"/v1/collections/{other}/identities/{other_id}/hold", json={"reason": "case 1"})
    expire(client, other, other_id)
    document = _export(client, home, ada_id)
    assert _found(document, other) == [(other, "similarity", "Ada K.")]
    (held,) = [one for one in document["people"] if one["collection"] == other]
    assert held["identity"]["hold"]["reason"] == "case 1"


@sqlite_only
def test_a_person_of_many_faces_is_written_in_pieces(
    client: TestClient, new_collection: MakeCollection
) -> None:
    home = new_collection()
    vectors = [like(ADA, 0.9, seed=1_000 + seed) for seed in range(450)]
    (ada_id,) = enroll_all(client, home, {"name": "Ada", "embeddings": vectors})
    url = f"/v1/collections/{home}/identities/{ada_id}:export"
    with client.stream("GET", url) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 100_000
    document = _export(client, home, ada_id)
    (held,) = [one for one in document["people"] if one["collection"] == home]
    assert len({face["id"] for face in held["faces"]}) == 450


@sqlite_only
def test_a_person_is_exported_by_external_id_whatever_it_ends_in(
    client: TestClient, new_collection: MakeCollection
) -> None:
    home = new_collection()
    enroll_all(client, home, {"name": "A", "external_id": "a/1"}, {"external_id": "a:export"})
    for sent in ("ext:a%2F1", "ext:a%3Aexport"):
        document = _export(client, home, sent)
        assert document["asked"]["identity_id"] == document["people"][0]["identity"]["id"]
    plain = client.get(f"/v1/collections/{home}/identities/ext:a%3Aexport").json()
    assert plain["external_id"] == "a:export"
    missing = client.get(f"/v1/collections/{home}/identities/ext:b:export")
    assert "'b'" in problem(missing, 404, "identity_not_found")["detail"]


@sqlite_only
def test_crops_are_paths_or_files(client_with_key: TestClient) -> None:
    client = client_with_key
    home = _collections(client)(crops={"keep": True})
    made = client.post(f"/v1/collections/{home}/identities", files=images("hopper"))
    ada_id = made.json()["identity"]["id"]
    (linked,) = _export(client, home, ada_id)["people"][0]["faces"]
    assert client.get(linked["crop"]["path"]).headers["content-type"] == "image/jpeg"
    (inline,) = _export(client, home, ada_id, crops="base64")["people"][0]["faces"]
    assert Image.open(BytesIO(b64decode(inline["crop"]["jpeg"]))).size == (336, 336)
    (bare,) = _export(client, home, ada_id, crops="none")["people"][0]["faces"]
    assert bare["crop"] is None


class TestWithKeys:
    """What a key may not see is not in the document."""

    @pytest.fixture
    def own(self, tight: TestClient) -> str:
        return _collections(tight)()

    @pytest.fixture
    def foreign(self, tight: TestClient) -> str:
        return _collections(tight)()

    @staticmethod
    def _enroll(tight: TestClient, collection: str) -> str:
        url = f"/v1/collections/{collection}/identities"
        made = tight.post(url, data={"name": "Grace"}, files=images("hopper"))
        identity: str = made.json()["identity"]["id"]
        return identity

    def test_a_photo_finds_the_person_in_the_collections_of_the_key(
        self, tight: TestClient, own: str, foreign: str
    ) -> None:
        grace = self._enroll(tight, own)
        self._enroll(tight, foreign)
        key_id, key = new_key(tight, role="officer", collections=[own])
        answer = tight.post("/v1/people:export", files=image("hopper_again"), headers=key)
        document = _checked(answer.status_code, answer.text, answer.json())
        assert _found(document, own, foreign) == [(own, "similarity", "Grace")]
        assert [one["name"] for one in document["collections"]] == [own]
        assert document["made_by"] == key_id
        same = tight.post("/v1/people:export", files=image("hopper"), headers=key).json()
        assert (same["people"][0]["basis"], same["people"][0]["certain"]) == ("same_photo", True)
        tight.app.state.services.reads.flush()  # type: ignore[attr-defined]
        lines = tight.get("/v1/audit", params={"action": "person.exported", "collection": own})
        assert {line["identity_id"] for line in lines.json()["lines"]} == {grace}

    def test_rights_decide_what_is_in_it(self, tight: TestClient, own: str) -> None:
        url = f"/v1/collections/{own}/identities/{self._enroll(tight, own)}:export"

        def person(role: str, **query: object) -> dict[str, Any]:
            _, key = new_key(tight, role=role, collections=[own])
            answer = tight.get(url, params=query, headers=key)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()["people"][0]
            return found

        assert person("officer")["audit"]
        integrator = person("integrator", embeddings=True)
        assert integrator["audit"] is None
        assert len(integrator["faces"][0]["embedding"]) == 128
        for role, query, right in (
            ("viewer", {}, "correct"),
            ("officer", {"embeddings": True}, "templates"),
        ):
            _, key = new_key(tight, role=role, collections=[own])
            refused = problem(tight.get(url, params=query, headers=key), 403, "missing_right")
            assert refused["missing_right"] == right

    def test_searches_of_a_person_are_limited(self, tight: TestClient, own: str) -> None:
        home = self._enroll(tight, own)
        other = _collections(tight)()
        self._enroll(tight, other)
        _, key = new_key(tight, role="officer", collections=[own, other])
        url = f"/v1/collections/{own}/identities/{home}:export"
        statuses = [tight.get(url, headers=key).status_code for _ in range(21)]
        assert statuses == [200] * 21  # the same photo is certain, and no search
        photo = {"image": image("hopper_again")["image"]}
        codes = [
            tight.post("/v1/people:export", files=photo, headers=key).status_code for _ in range(21)
        ]
        assert codes == [200] * 20 + [429]


@sqlite_only
def test_a_photo_must_show_one_person(client: TestClient) -> None:
    for name, code in (("group", "several_faces"), ("coffee", "no_face")):
        problem(client.post("/v1/people:export", files=image(name)), 422, code)


@sqlite_only
def test_without_keys_embeddings_that_are_held_stay_here(
    client: TestClient, new_collection: MakeCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_collection()
    (ada_id,) = enroll_all(client, home, {"embeddings": [ADA]})
    monkeypatch.setattr("app.api.routes.people.sees_exact_similarities", lambda: False)
    url = f"/v1/collections/{home}/identities/{ada_id}:export"
    refused = problem(client.get(url, params={"embeddings": True}), 403, "missing_right")
    assert refused["missing_right"] == "templates"
