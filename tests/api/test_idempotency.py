"""Requests sent again with their Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import BaseModel

from app.api.idempotency import ticket_for
from app.gallery.store.idempotency import MAX_SCOPE_LENGTH, without_person
from tests.api.conftest import images, problem
from tests.api.people import counts


class _Content(BaseModel):
    """A body without fields."""


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _replayed(response: Response) -> bool:
    return response.headers.get("Idempotency-Replayed") == "true"


def test_enrolment_sent_again_is_answered_alike_and_done_once(
    client: TestClient, collection: str
) -> None:
    url, key = f"/v1/collections/{collection}/identities", _key()
    person: dict[str, Any] = {"data": {"name": "Eileen"}, "files": images("astronaut")}
    first = client.post(url, headers=key, **person)
    assert (first.status_code, _replayed(first)) == (201, False)
    again = client.post(url, headers=key, **person)  # another boundary, the same content
    assert (again.status_code, again.json(), _replayed(again)) == (201, first.json(), True)
    assert counts(client, collection) == (1, 1)
    faces = f"{url}/{first.json()['identity']['id']}/faces"
    added = client.post(faces, headers=key, files=images("astronaut_again"))
    assert (added.status_code, _replayed(added)) == (201, False), "elsewhere it is another key"
    repeated = client.post(faces, headers=key, files=images("astronaut_again"))
    assert (repeated.status_code, repeated.json()) == (201, added.json())
    assert counts(client, collection) == (1, 2)


def test_key_with_another_content_is_refused(client: TestClient, collection: str) -> None:
    url, key = f"/v1/collections/{collection}/identities", _key()
    client.post(url, headers=key, json={"name": "Ada"})
    problem(client.post(url, headers=key, json={"name": "Bob"}), 409, "idempotency_key_reused")
    assert counts(client, collection) == (1, 0)


def test_what_failed_is_tried_again(client: TestClient, collection: str) -> None:
    url, key = f"/v1/collections/{collection}/identities", _key()
    problem(client.post(url, headers=key, files=images("coffee")), 422, "no_face")
    done = client.post(url, headers=key, files=images("hopper"))
    assert (done.status_code, _replayed(done)) == (201, False)


def test_late_retry_brings_nobody_back(client: TestClient, collection: str) -> None:
    url, key = f"/v1/collections/{collection}/identities", _key()
    first = client.post(url, headers=key, json={"name": "Ada"}).json()["identity"]["id"]
    assert client.delete(f"{url}/{first}").status_code == 200
    again = client.post(url, headers=key, json={"name": "Ada"})
    assert (again.status_code, _replayed(again)) == (201, True)
    assert (again.json()["identity"]["id"], again.json()["identity"]["name"]) == (first, None)
    assert counts(client, collection) == (0, 0)


def test_answers_keep_no_names_and_labels_of_people_who_may_be_erased_before(
    client: TestClient, collection: str
) -> None:
    url, key = f"/v1/collections/{collection}", _key()
    sent = {"name": "Eileen Collins", "image_label": "Collins.jpg"}
    done = client.post(f"{url}/identities", data=sent, files=images("astronaut")).json()
    moved = {"name": "Bob", "force": True}
    move = f"{url}/faces/{done['faces'][0]['id']}:move"
    first = client.post(move, headers=key, json=moved)
    assert "Collins.jpg" in first.text, "it is said now"
    assert "Collins" not in client.post(move, headers=key, json=moved).text
    delete = {"face_ids": [done["faces"][0]["id"]]}
    assert "Bob" in client.post(f"{url}/faces:delete", headers=key, json=delete).text
    client.delete(f"{url}/identities/{first.json()['identity']['id']}")
    again = client.post(f"{url}/faces:delete", headers=key, json=delete)
    assert (_replayed(again), "Bob" in again.text) == (True, False)


def test_answer_of_another_api_loses_the_name_of_who_is_erased() -> None:
    body = {"image_id": "1", "subject": "Ada", "model": {"name": "sface"}}
    assert without_person(body) == {**body, "subject": None}


def test_same_key_at_once_enrolls_once(client: TestClient, collection: str) -> None:
    url, key = f"/v1/collections/{collection}/identities", _key()
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: client.post(url, headers=key, files=images("hopper")), range(4))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["identity"]["id"] for answer in answers}) == 1
    assert [_replayed(answer) for answer in answers].count(False) == 1
    assert counts(client, collection) == (1, 1)


def test_collection_is_created_once(client: TestClient) -> None:
    key, name = _key(), f"test-{uuid4().hex[:12]}"
    first = client.post("/v1/collections", headers=key, json={"name": name})
    again = client.post("/v1/collections", headers=key, json={"name": name})
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), _replayed(again)) == (again.json(), True)
    problem(client.post("/v1/collections", json={"name": name}), 409, "collection_exists")


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
def test_malformed_key_is_refused(client: TestClient, key: str) -> None:
    response = client.post(
        "/v1/collections", headers={"Idempotency-Key": key}, json={"name": "never"}
    )
    problem(response, 422, "invalid_request")


def test_scope_of_a_long_name_fits_into_its_column_and_stays_its_own() -> None:
    scopes = [f"POST /v1/collections/{'n' * 254}{end}/identities" for end in "ab"]
    tickets = [ticket_for(scope, "key", _Content(), owner="") for scope in scopes]
    assert all(len(ticket.scope) <= MAX_SCOPE_LENGTH for ticket in tickets)
    assert tickets[0].scope != tickets[1].scope
