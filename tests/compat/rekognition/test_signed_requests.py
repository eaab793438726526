"""Signed requests to a service that demands keys."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient

from app.main import create_app
from tests.compat.rekognition.conftest import pair_in
from tests.compat.rekognition.signer import Pair, Rekognition, failure

_NewKey = Callable[..., dict[str, Any]]


def test_a_right_signature_lets_in_and_names_the_key(admin: Rekognition, keyed: TestClient) -> None:
    assert "default" in admin.call("ListCollections")["CollectionIds"]
    listed = keyed.get("/v1/keys", headers={"x-api-key": "key"}).json()["keys"]
    (own,) = [
        key for key in listed if admin.pair and key["aws_access_key_id"] == admin.pair.access_key_id
    ]
    admin.call("CreateCollection", CollectionId="made-by-a-pair")
    page = keyed.get("/v1/audit?collection=made-by-a-pair", headers={"x-api-key": "key"}).json()
    assert page["lines"][0]["principal"] == own["id"]


def test_a_service_may_be_asked_at_its_root(admin: Rekognition) -> None:
    Rekognition(admin.client, admin.pair, path="/").call("ListCollections")


def test_who_is_not_let_in_is_answered_by_the_right_name(
    admin: Rekognition, keyed: TestClient, new_key: _NewKey
) -> None:
    assert admin.pair is not None
    Rekognition(keyed).fail("ListCollections", "MissingAuthenticationTokenException")
    wrong = Pair(admin.pair.access_key_id, "another secret")
    Rekognition(keyed, wrong).fail("ListCollections", "InvalidSignatureException")
    unknown = Pair("AKIAUNKNOWN234567ABC", "any")
    Rekognition(keyed, unknown).fail("ListCollections", "UnrecognizedClientException")
    made = new_key()
    revoked = Rekognition(keyed, pair_in(made))
    revoked.call("ListCollections")
    keyed.delete(f"/v1/keys/{made['key']['id']}", headers={"x-api-key": "key"})
    revoked.fail("ListCollections", "UnrecognizedClientException")
    half = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA"}
    Rekognition(keyed, headers=half).fail("ListCollections", "IncompleteSignatureException")


def test_a_changed_request_is_refused(admin: Rekognition) -> None:
    answer = admin.send(
        "DescribeCollection", {"CollectionId": "default"}, signed_body={"CollectionId": "other"}
    )
    failure(answer, "InvalidSignatureException")
    for name, value in {
        "x-amz-target": "RekognitionService.DeleteCollection",
        "x-amz-date": "20310101T000000Z",
        "content-type": "application/json",
    }.items():
        changed = Rekognition(admin.client, admin.pair, headers={name: value})
        answer = changed.send("DescribeCollection", {"CollectionId": "default"})
        assert answer.status_code == 400
        assert answer.json()["__type"] in {
            "InvalidSignatureException",
            "IncompleteSignatureException",
        }


def test_a_refused_signature_is_in_the_audit_log(keyed: TestClient, new_key: _NewKey) -> None:
    made = new_key()
    wrong = Pair(made["aws"]["access_key_id"], "another secret")
    Rekognition(keyed, wrong).fail("ListCollections", "InvalidSignatureException")
    keyed.app.state.services.reads.flush()  # type: ignore[attr-defined]
    page = keyed.get("/v1/audit?action=request.refused", headers={"x-api-key": "key"}).json()
    line = page["lines"][0]
    assert line["outcome"] == "signature_refused"
    assert line["details"] == {
        "key": made["key"]["id"],
        "request": "POST /rekognition#ListCollections",
    }


def test_a_key_acts_within_its_rights_and_collections(
    admin: Rekognition, keyed: TestClient, new_key: _NewKey
) -> None:
    admin.call("CreateCollection", CollectionId="mine")
    admin.call("CreateCollection", CollectionId="theirs")
    operator = Rekognition(keyed, pair_in(new_key(role="operator", collections=["mine"])))
    assert operator.call("ListCollections")["CollectionIds"] == ["mine"]
    operator.call("DescribeCollection", CollectionId="mine")
    # The same answer, whether there is one.
    texts = {
        operator.fail("DescribeCollection", "AccessDeniedException", CollectionId=name).replace(
            name, "NAME"
        )
        for name in ("theirs", "nobodys")
    }
    assert len(texts) == 1
    message = operator.fail("CreateCollection", "AccessDeniedException", CollectionId="mine")
    assert "'admin'" in message


def test_a_prefix_that_a_proxy_takes_off_is_signed_by_clients(keyed: TestClient) -> None:
    """The client signs the path that it sees, and the proxy passes on what is behind the prefix."""
    state = keyed.app.state  # type: ignore[attr-defined]
    settings = state.services.settings.model_copy(update={"root_path": "/faces"})
    behind = TestClient(create_app(settings, replace(state.services, settings=settings)))
    body = {"name": "behind a proxy", "role": "admin", "aws": True}
    pair = pair_in(keyed.post("/v1/keys", json=body, headers={"x-api-key": "key"}).json())
    seen = Rekognition(behind, pair, path="/rekognition", signed_path="/faces/rekognition")
    for path in ("/rekognition", "/faces/rekognition"):
        seen.path = path
        seen.call("ListCollections")
    seen.signed_path = "/other/rekognition"
    seen.fail("ListCollections", "InvalidSignatureException")


def test_a_header_with_a_key_is_enough(keyed: TestClient) -> None:
    Rekognition(keyed, headers={"x-api-key": "key"}).call("ListCollections")


def test_a_body_over_the_limit_is_an_image_too_large(admin: Rekognition) -> None:
    image = {"Bytes": "A" * 250_000}
    admin.fail("DetectFaces", "ImageTooLargeException", Image=image)


def test_a_key_with_a_rate_of_its_own_is_slowed_down(keyed: TestClient, new_key: _NewKey) -> None:
    slow = Rekognition(keyed, pair_in(new_key(requests_per_min=5)))
    slow.call("ListCollections")
    answer = slow.send("ListCollections", {})
    failure(answer, "ProvisionedThroughputExceededException")
    assert int(answer.headers["retry-after"]) >= 1
