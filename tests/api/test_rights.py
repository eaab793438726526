"""All routes by all roles, in a collection of the key and in another; from the OpenAPI document."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import event

from app.gallery.keys.rights import RIGHTS_OF, Right, Role
from tests.api.conftest import image, problem
from tests.kit.api_keys import new_key

NO_ID = "0" * 32
ROLES = [role for role in Role if role is not Role.CUSTOM]


@dataclass(frozen=True)
class Operation:
    """A method and path of the document, and the right that it names."""

    method: str
    path: str
    right: str

    @property
    def is_of_collection(self) -> bool:
        return "{collection}" in self.path

    @property
    def deletes_collection(self) -> bool:
        return self.method == "DELETE" and self.path.endswith("{collection}")


@pytest.fixture
def operations(tight: TestClient) -> list[Operation]:
    """Every operation; the one that deletes the collection comes last."""
    paths = tight.get("/openapi.json").json()["paths"]
    found = [
        Operation(method.upper(), path, operation["x-required-right"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
    return sorted(found, key=lambda operation: operation.deletes_collection)


def _new_collection(tight: TestClient) -> str:
    name = f"rights-{uuid4().hex[:8]}"
    assert tight.post("/v1/collections", json={"name": name}).status_code == 201
    return name


@pytest.fixture
def own(tight: TestClient) -> str:
    return _new_collection(tight)


@pytest.fixture
def foreign(tight: TestClient) -> str:
    return _new_collection(tight)


def _send(
    client: TestClient, operation: Operation, headers: dict[str, str], collection: str
) -> Response:
    path = operation.path.replace("{collection}", collection)
    query = {"wait_s": 0} if path == "/v1/events" else {}  # else the stream does not end
    url = re.sub(r"\{\w+\}", NO_ID, path)
    return client.request(operation.method, url, params=query, headers=headers)


def _body_without(answer: Response, name: str) -> tuple[int, dict[str, Any]]:
    """Status and body of a problem, without the request's id and the collection's name."""
    body = answer.json()
    del body["request_id"]
    body["detail"] = body["detail"].replace(name, "NAME")
    return answer.status_code, body


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_send_what_its_rights_say_and_nothing_else(
    tight: TestClient, operations: list[Operation], own: str, role: Role
) -> None:
    _, key = new_key(tight, role=role, collections=[own])
    granted = set(RIGHTS_OF[role])
    refused = set()
    for operation in operations:
        answer = _send(tight, operation, key, own)
        if operation.right in set(Right) - granted:
            body = problem(answer, 403, "missing_right")
            assert body["missing_right"] == operation.right, operation
            assert operation.right in body["detail"]
            refused.add(operation)
        else:
            code = "" if answer.status_code < 400 else answer.json()["code"]
            assert answer.status_code not in (401, 403), operation
            assert code != "collection_not_found", operation
    assert bool(refused) is (role is not Role.ADMIN)


@pytest.mark.parametrize("role", ROLES)
def test_a_foreign_collection_is_answered_as_one_that_does_not_exist(
    tight: TestClient, operations: list[Operation], own: str, foreign: str, role: Role
) -> None:
    _, key = new_key(tight, role=role, collections=[own])
    absent = f"{foreign[:-1]}~".replace("~", "x" if foreign[-1] != "x" else "y")
    for operation in operations:
        if not operation.is_of_collection:
            continue
        answer = _send(tight, operation, key, foreign)
        unknown = _send(tight, operation, key, absent)
        assert _body_without(answer, foreign) == _body_without(unknown, absent), operation
        if operation.right in {*RIGHTS_OF[role], "any_key"}:
            problem(answer, 404, "collection_not_found")
    assert tight.get(f"/v1/collections/{foreign}").status_code == 200


def test_no_statement_is_sent_about_a_collection_that_a_key_may_not_see(
    tight: TestClient, operations: list[Operation], own: str, foreign: str
) -> None:
    """So the time of an answer does not say whether there is one, however busy the database is."""
    _, key = new_key(tight, role=Role.ADMIN, collections=[own])
    engine = tight.app.state.services.database.engine  # type: ignore[attr-defined]
    about: list[str] = []

    def note(_: object, __: object, ___: object, parameters: object, *____: object) -> None:
        about.append(repr(parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        for operation in operations:
            if operation.is_of_collection:
                problem(_send(tight, operation, key, foreign), 404, "collection_not_found")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [parameters for parameters in about if foreign in parameters]


def test_without_a_key_only_health_metrics_and_documents_are_answered(
    tight: TestClient, operations: list[Operation], own: str
) -> None:
    open_paths = set()
    for operation in operations:
        answer = _send(tight, operation, {"x-api-key": ""}, own)
        if operation.right == "no_key":
            assert answer.status_code not in (401, 403)
            open_paths.add(operation.path)
        else:
            problem(answer, 401, "unauthorized")
    assert open_paths == {"/healthz", "/readyz", "/metrics"}


def test_every_role_names_rights_that_some_route_needs(operations: list[Operation]) -> None:
    needed = {operation.right for operation in operations}
    assert needed >= set(Right)


def test_a_collection_in_the_body_is_hidden_as_one_in_the_path(
    tight: TestClient, own: str, foreign: str
) -> None:
    _, key = new_key(tight, role="operator", collections=[own])

    def verify(collection: str) -> Response:
        fields = {"collection": collection, "identity_id": NO_ID}
        return tight.post("/v1/verify", data=fields, files=image("hopper"), headers=key)

    answer = verify(foreign)
    problem(answer, 404, "collection_not_found")
    assert _body_without(answer, foreign) == _body_without(verify("nowhere"), "nowhere")
    problem(verify(own), 404, "identity_not_found")


def test_a_search_by_an_embedding_needs_templates(tight: TestClient, own: str) -> None:
    _, operator = new_key(tight, role="operator")
    _, integrator = new_key(tight, role="integrator")
    embedded = tight.post("/v1/embed", files=image("hopper"), headers=integrator).json()
    body = {"embedding": embedded["faces"][0]["embedding"]}
    url = f"/v1/collections/{own}/search"
    refused = problem(tight.post(url, json=body, headers=operator), 403, "missing_right")
    assert refused["missing_right"] == "templates"
    assert tight.post(url, json=body, headers=integrator).status_code == 200
    by_face = tight.post(url, json={"face_id": NO_ID}, headers=operator)
    problem(by_face, 404, "face_not_found")


def test_lists_show_only_collections_of_the_key(tight: TestClient, own: str, foreign: str) -> None:
    _, key = new_key(tight, role="admin", collections=[own])
    listed = tight.get("/v1/collections", headers=key).json()
    assert [one["name"] for one in listed["collections"]] == [own]
    assert tight.get("/v1/collections", params={"q": foreign}, headers=key).json() == {
        "collections": [],
        "next_cursor": None,
    }
    stats = tight.get("/v1/stats", headers=key).json()
    assert stats["index"] == {
        "faces": 0,
        "collections": 1,
        "revisions_behind": None,
        "unreadable_faces": 0,
    }
    assert stats["decisions"] == {}
    assert tight.get("/v1/me", headers=key).json()["collections"] == [own]


def test_a_limited_admin_creates_no_collection_of_another_name(
    tight: TestClient, own: str, foreign: str
) -> None:
    missing = f"rights-{uuid4().hex[:8]}"
    _, key = new_key(tight, role="admin", collections=[own, missing])

    def create(name: str) -> Response:
        return tight.post("/v1/collections", json={"name": name}, headers=key)

    assert create(missing).status_code == 201
    problem(create(own), 409, "collection_exists")
    taken, free = create(foreign), create("no-such-name")
    problem(taken, 403, "collection_not_granted")
    assert _body_without(taken, foreign) == _body_without(free, "no-such-name")


def test_a_key_that_may_not_identify_does_not_learn_whom_a_photo_resembles(
    tight: TestClient, own: str
) -> None:
    url = f"/v1/collections/{own}/identities"
    fields = {"name": "Grace Hopper", "external_id": "emp-1"}
    grace = tight.post(url, data=fields, files=image("hopper", "images")).json()["identity"]["id"]

    def enroll_again(key: dict[str, str]) -> Response:
        return tight.post(url, files=image("hopper_again", "images"), headers=key)

    _, enroller = new_key(tight, role="enroller", collections=[own])
    body = problem(enroll_again(enroller), 409, "belongs_to_another_identity")
    assert body["rejected"][0]["resemblance"]["identity_id"] == grace
    assert grace in body["rejected"][0]["detail"]

    _, blind = new_key(tight, rights=["enroll"], collections=[own])
    answer = enroll_again(blind)
    body = problem(answer, 409, "belongs_to_another_identity")
    assert body["rejected"][0].get("resemblance") is None
    for fact in (grace, "Grace", "emp-1", "similarity"):
        assert fact not in answer.text
