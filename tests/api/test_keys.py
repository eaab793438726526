"""API keys over HTTP."""

import re
from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from app.gallery.keys.key_records import KeyState
from tests.api.conftest import problem
from tests.kit.api_keys import new_key


def test_a_key_is_shown_once_and_works_at_once(tight: TestClient) -> None:
    made = tight.post("/v1/keys", json={"name": "front door", "role": "operator"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    body = made.json()
    text = body["text"]
    assert text.startswith(f"vk_{body['key']['id']}_")
    me = tight.get("/v1/me", headers={"x-api-key": text}).json()
    assert me == {
        "authentication": "api_key",
        "id": body["key"]["id"],
        "name": "front door",
        "role": "operator",
        "rights": ["read", "identify"],
        "collections": None,
        "expires_at": None,
    }
    url = f"/v1/keys/{body['key']['id']}"
    for shown in (tight.get(url), tight.get("/v1/keys", params={"limit": 1000})):
        assert body["key"]["prefix"] in shown.text
        assert text not in shown.text
        assert text.rsplit("_", 1)[1] not in shown.text


def test_a_revoked_key_is_refused_from_the_answer_on(tight: TestClient) -> None:
    key_id, key = new_key(tight, role="viewer")
    assert tight.get("/v1/me", headers=key).status_code == 200
    revoked = tight.delete(f"/v1/keys/{key_id}").json()
    assert revoked["state"] == "revoked"
    refused = tight.get("/v1/me", headers=key)
    problem(refused, 401, "key_revoked")
    assert refused.headers["www-authenticate"] == "ApiKey"
    assert tight.delete(f"/v1/keys/{key_id}").json() == revoked
    assert 'vultus_refused_keys_total{reason="key_revoked"}' in tight.get("/metrics").text


def test_the_audit_log_names_keys_and_what_was_done_to_them(tight: TestClient) -> None:
    key_id, admin = new_key(tight, role="admin")
    other, _ = new_key(tight, role="viewer", collections=["staff"])
    tight.delete(f"/v1/keys/{other}", headers=admin)
    lines = tight.get("/v1/audit", params={"limit": 20}).json()["lines"]
    # Refusals of other tests are noted later, and may lie between them.
    own = [line for line in lines if line["details"].get("key") == other]
    assert [(line["action"], line["principal"], line["details"]) for line in own] == [
        ("key.revoked", key_id, {"key": other}),
        ("key.added", "key 1", {"key": other, "rights": ["read"], "within": ["staff"]}),
    ]


def test_a_limited_officer_reads_lines_of_their_collections_alone(tight: TestClient) -> None:
    for name in ("audited-a", "audited-b"):
        assert tight.post("/v1/collections", json={"name": name}).status_code == 201
    _, officer = new_key(tight, role="officer", collections=["audited-a"])

    def seen(**wanted: str) -> set[str | None]:
        lines = tight.get("/v1/audit", params=wanted, headers=officer).json()["lines"]
        return {line["collection"] for line in lines}

    assert seen() == {"audited-a"}
    assert seen(collection="audited-b") == set()


def test_an_expired_key_is_refused(tight: TestClient) -> None:
    until = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    key_id, key = new_key(tight, role="viewer", expires_at=until)
    while (answer := tight.get("/v1/me", headers=key)).status_code == 200:
        assert datetime.now(UTC) < datetime.fromisoformat(until) + timedelta(seconds=10)
    problem(answer, 401, "key_expired")
    assert tight.get(f"/v1/keys/{key_id}").json()["state"] == "expired"


def test_after_a_rotation_both_keys_work_until_the_overlap_is_over(tight: TestClient) -> None:
    key_id, key = new_key(tight, role="viewer")
    rotated = tight.post(f"/v1/keys/{key_id}:rotate", json={"overlap_s": 3600})
    assert rotated.status_code == 201
    new = {"x-api-key": rotated.json()["text"]}
    for headers in (key, new):
        assert tight.get("/v1/me", headers=headers).status_code == 200
    again = tight.post(f"/v1/keys/{key_id}:rotate", json={})
    problem(again, 409, "key_inactive")

    new_id = rotated.json()["key"]["id"]
    last = tight.post(f"/v1/keys/{new_id}:rotate", json={"overlap_s": 0}).json()
    problem(tight.get("/v1/me", headers=new), 401, "key_expired")
    assert tight.get("/v1/me", headers={"x-api-key": last["text"]}).status_code == 200


def test_a_key_gives_no_more_than_it_has(tight: TestClient) -> None:
    _, limited = new_key(tight, role="admin", collections=["a"])
    _, plain = new_key(tight, rights=["read", "admin"])

    def make(headers: dict[str, str], **fields: object) -> tuple[int, str]:
        answer = tight.post("/v1/keys", json={"name": "x", **fields}, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert make(limited, role="viewer") == (403, "collection_not_granted")
    assert make(limited, role="viewer", collections=["a", "b"]) == (403, "collection_not_granted")
    assert make(limited, role="viewer", collections=["a"]) == (201, "")
    assert make(plain, role="operator") == (403, "missing_right")
    assert make(plain, role="viewer") == (201, "")

    stronger, _ = new_key(tight, role="operator")
    answer = tight.post(f"/v1/keys/{stronger}:rotate", json={}, headers=plain)
    assert problem(answer, 403, "missing_right")["missing_right"] == "identify"


def test_a_limited_admin_sees_no_keys_of_others(tight: TestClient) -> None:
    _, limited = new_key(tight, role="admin", collections=["b"])
    inside, _ = new_key(tight, role="viewer", collections=["b"])
    outside, key = new_key(tight, role="viewer")
    listed = tight.get("/v1/keys", headers=limited).json()["keys"]
    assert inside in [one["id"] for one in listed]
    assert outside not in [one["id"] for one in listed]
    for answer in (
        tight.get(f"/v1/keys/{outside}", headers=limited),
        tight.delete(f"/v1/keys/{outside}", headers=limited),
        tight.post(f"/v1/keys/{outside}:rotate", json={}, headers=limited),
    ):
        problem(answer, 404, "key_not_found")
    assert tight.get("/v1/me", headers=key).status_code == 200


def test_a_key_with_a_pair_shows_its_secret_once_and_gets_another_by_rotation(
    tight: TestClient,
) -> None:
    body = tight.post("/v1/keys", json={"name": "aws", "role": "operator", "aws": True}).json()
    pair, key = body["aws"], body["key"]
    assert key["aws_access_key_id"] == pair["access_key_id"]
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", pair["access_key_id"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", pair["secret_access_key"])
    ring = tight.app.state.services.key_ring  # type: ignore[attr-defined]
    found = ring.find_pair(pair["access_key_id"])
    assert (found.key.id, found.secret) == (key["id"], pair["secret_access_key"])
    assert pair["secret_access_key"] not in repr(found)
    assert pair["secret_access_key"] not in tight.get(f"/v1/keys/{key['id']}").text

    rotated = tight.post(f"/v1/keys/{key['id']}:rotate", json={}).json()
    assert rotated["aws"]["access_key_id"] != pair["access_key_id"]
    new = ring.find_pair(rotated["aws"]["access_key_id"])
    assert (new.key.id, new.secret) == (rotated["key"]["id"], rotated["aws"]["secret_access_key"])
    tight.delete(f"/v1/keys/{rotated['key']['id']}")
    ended = ring.find_pair(rotated["aws"]["access_key_id"])
    assert ended.key.state(datetime.now(UTC)) is KeyState.REVOKED
    plain = tight.post("/v1/keys", json={"name": "x", "role": "viewer"}).json()
    assert (plain["aws"], plain["key"]["aws_access_key_id"]) == (None, None)
    assert ring.find_pair("AKIA" + "A" * 16) is None


def test_a_key_may_have_a_rate_of_its_own(tight: TestClient) -> None:
    key_id, slow = new_key(tight, role="viewer", requests_per_min=20)
    _, quick = new_key(tight, role="viewer")

    def answers(headers: dict[str, str]) -> list[int]:
        return [tight.get("/v1/me", headers=headers).status_code for _ in range(4)]

    assert answers(slow) == [200, 200, 429, 429]  # a tenth of a minute's at once
    refused = tight.get("/v1/me", headers=slow)
    problem(refused, 429, "rate_limited")
    assert int(refused.headers["retry-after"]) >= 1
    assert answers(quick) == [200] * 4
    assert tight.get(f"/v1/keys/{key_id}").json()["requests_per_min"] == 20
    rotated = tight.post(f"/v1/keys/{key_id}:rotate", json={}).json()
    assert rotated["key"]["requests_per_min"] == 20
    wrong = {"name": "x", "role": "viewer", "requests_per_min": 0}
    problem(tight.post("/v1/keys", json=wrong), 422, "invalid_request")


def test_a_key_needs_a_role_or_rights(tight: TestClient) -> None:
    problem(tight.post("/v1/keys", json={"name": "x"}), 422, "invalid_request")
    problem(
        tight.post("/v1/keys", json={"name": "x", "role": "viewer", "collections": []}),
        422,
        "invalid_request",
    )
    added = tight.post("/v1/keys", json={"name": "x", "role": "viewer", "rights": ["enroll"]})
    assert added.json()["key"]["role"] == "custom"
    assert added.json()["key"]["rights"] == ["read", "enroll"]


def _id_of(headers: dict[str, str]) -> str:
    return headers["x-api-key"].split("_")[1]


def test_an_idempotency_key_belongs_to_its_caller(tight: TestClient) -> None:
    _, first = new_key(tight, role="enroller")
    _, second = new_key(tight, role="enroller")
    url = "/v1/collections/default/identities"

    def enroll(headers: dict[str, str], name: str) -> tuple[int, str | None, str]:
        answer = tight.post(url, json={"name": name}, headers={**headers, "idempotency-key": "1"})
        body = answer.json()
        replayed = answer.headers.get("idempotency-replayed")
        return answer.status_code, replayed, body.get("identity", {}).get("id", body.get("code"))

    made = enroll(first, "Alice")
    assert made[:2] == (201, None)
    assert enroll(first, "Alice") == (201, "true", made[2])
    assert enroll(first, "Bob") == (409, None, "idempotency_key_reused")
    other = enroll(second, "Bob")
    assert other[:2] == (201, None)
    same = enroll({}, "Alice")
    assert same[:2] == (201, None)
    assert len({made[2], other[2], same[2]}) == 3

    # Nor does another content under the same text say that somebody has used it.
    _, third = new_key(tight, role="enroller")
    assert enroll(third, "Carol")[:2] == (201, None)
    # A key that replaces another is another caller: what it sends is done.
    rotated = tight.post(f"/v1/keys/{_id_of(first)}:rotate", json={}).json()
    assert enroll({"x-api-key": rotated["text"]}, "Alice")[:2] == (201, None)
