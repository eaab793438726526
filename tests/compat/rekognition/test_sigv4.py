"""Signature Version 4, by requests that genuine clients were recorded to sign."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from starlette.datastructures import Headers

from app.compat.rekognition.faults import SignatureIncomplete, SignatureWrong
from app.compat.rekognition.signatures import claim_of, require_signature
from app.compat.rekognition.sigv4 import SignedRequest, canonical_request, signature_of

_SECRET = "s3cret/Key+Example"
_CREDENTIAL = "AKIAVULTUSEXAMPLE000/20261129/us-east-1/rekognition/aws4_request"
_BOTO3_BODY = b'{"CollectionId": "people"}'
_BOTO3_HEADERS = {
    "host": "127.0.0.1:18805",
    "accept-encoding": "identity",
    "x-amz-target": "RekognitionService.DescribeCollection",
    "content-type": "application/x-amz-json-1.1",
    "x-amz-date": "20261129T210845Z",
    "authorization": f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
    "Signature=fa6f281eca502c275839adf9fc58fdd61f8b41702fe11c8d34583567413ba177",
    "content-length": "26",
}
_JS_BODY = b'{"CollectionId":"people"}'
_JS_HEADERS = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "RekognitionService.DescribeCollection",
    "x-amz-user-agent": "aws-sdk-js/3.1141.0",
    "amz-sdk-invocation-id": "a1ced0f9-21dd-4023-bb78-77ad0b224717",
    "amz-sdk-request": "attempt=1; max=3",
    "host": "127.0.0.1:18805",
    "x-amz-date": "20261129T210846Z",
    "x-amz-content-sha256": "a0e5ae35baedd562fcbff3f9abb0dc030e1d749521641bb5c929b4a0ece40eca",
    "content-length": "25",
    "authorization": f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, "
    "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;"
    "x-amz-content-sha256;x-amz-date;x-amz-target;x-amz-user-agent, "
    "Signature=02918a82c90bbcde707ced0a08a6e3360a13c355d9e8c766c224e0dafe31808c",
}
_BOTOCORES = "37bc5d3b23b6d48aeea98736737d4a6fa3c99d59399d66e9fab63209693f4fd8"
_CLIENTS = [(_BOTO3_HEADERS, _BOTO3_BODY), (_JS_HEADERS, _JS_BODY)]
_THEN = datetime(2026, 11, 29, 21, 8, 50, tzinfo=UTC)


def _request(headers: dict[str, str], body: bytes, path: str = "/") -> SignedRequest:
    return SignedRequest("POST", path, "", [*headers.items()], sha256(body).hexdigest())


def _require(
    headers: dict[str, str],
    body: bytes,
    *,
    secret: str = _SECRET,
    path: str = "/",
    now: datetime = _THEN,
) -> None:
    claim = claim_of(Headers(headers))
    require_signature([_request(headers, body, path)], claim, secret, now=lambda: now)


@pytest.mark.parametrize(("headers", "body"), _CLIENTS)
def test_requests_of_genuine_clients_are_signed_right(headers: dict[str, str], body: bytes) -> None:
    _require(headers, body)
    _require(dict(reversed(headers.items())), body)


def test_the_canonical_request_is_that_of_the_client() -> None:
    text = canonical_request(
        _request(_BOTO3_HEADERS, _BOTO3_BODY), claim_of(Headers(_BOTO3_HEADERS)).signed_headers
    )
    assert (
        sha256(text.encode()).hexdigest()
        == "ed58d42f13a89c121ff52aa7fdfc8424335ad4cbf409da341497cba2594c0e70"
    )


@pytest.mark.parametrize(("headers", "body"), _CLIENTS)
def test_whatever_is_changed_of_a_signed_request_is_noticed(
    headers: dict[str, str], body: bytes
) -> None:
    changed = {
        "host": "other.example",
        "x-amz-date": "20261129T210847Z",
        "x-amz-target": "RekognitionService.DeleteCollection",
        "content-type": "application/json",
    }
    for name, value in changed.items():
        with pytest.raises(SignatureWrong):
            _require({**headers, name: value}, body)
    with pytest.raises(SignatureWrong):
        _require(headers, body, secret="another")
    with pytest.raises(SignatureWrong):
        _require(headers, body, path="/rekognition")
    with pytest.raises(SignatureWrong):
        _require(headers, body.replace(b"people", b"people2"))


def test_a_hash_that_is_sent_has_to_be_that_of_the_body() -> None:
    headers = {**_BOTO3_HEADERS, "x-amz-content-sha256": "0" * 64}  # not among the signed ones
    with pytest.raises(SignatureWrong):
        _require(headers, _BOTO3_BODY)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time_is_refused(minutes: int) -> None:
    _require(_BOTO3_HEADERS, _BOTO3_BODY, now=_THEN + timedelta(minutes=minutes * 14 / 16))
    with pytest.raises(SignatureWrong, match="clock"):
        _require(_BOTO3_HEADERS, _BOTO3_BODY, now=_THEN + timedelta(minutes=minutes))


def test_runs_of_spaces_and_the_case_of_names_do_not_count() -> None:
    spaced = {**_JS_HEADERS, "amz-sdk-request": "  attempt=1;   max=3 "}
    _require(spaced, _JS_BODY)
    named = _BOTO3_HEADERS["authorization"].replace("content-type;host", "Content-Type;Host")
    _require({**_BOTO3_HEADERS, "authorization": named}, _BOTO3_BODY)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a, Signature=b",
        f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, SignedHeaders=host, Signature=00",
        f"AWS4-HMAC-SHA256 Credential=AKIA/20261129, SignedHeaders=host, Signature={'0' * 64}",
        # What has to be signed is not.
        f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, SignedHeaders=host, Signature={'0' * 64}",
        (
            f"AWS4-ECDSA-P256-SHA256 Credential={_CREDENTIAL}, SignedHeaders=host;x-amz-date;"
            f"x-amz-target, Signature={'0' * 64}"
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL.replace('1129', '1128')}, SignedHeaders="
            f"host;x-amz-date;x-amz-target, Signature={'0' * 64}"
        ),
    ],
)
def test_a_signature_that_lacks_a_part_is_incomplete(authorization: str) -> None:
    with pytest.raises(SignatureIncomplete):
        claim_of(Headers({**_BOTO3_HEADERS, "authorization": authorization}))


@pytest.mark.parametrize("date", ["", "today", "20261129T250000Z", "20261129", "2026-11-29"])
def test_a_date_that_is_none_is_incomplete(date: str) -> None:
    with pytest.raises(SignatureIncomplete):
        claim_of(Headers({**_BOTO3_HEADERS, "x-amz-date": date}))


def test_a_signature_for_another_service_is_wrong() -> None:
    headers = {
        **_BOTO3_HEADERS,
        "authorization": _BOTO3_HEADERS["authorization"].replace("/rekognition/", "/s3/"),
    }
    with pytest.raises(SignatureWrong):
        claim_of(Headers(headers))


def test_paths_and_queries_are_signed_as_awss_own_signer_does() -> None:
    """The signature was made by botocore 1.44.8 (`SigV4Auth`) of the same parts."""
    request = replace(
        _request(_BOTO3_HEADERS, _BOTO3_BODY, "/a%20b/rekognition"), query="b=2&a=1%2F&c="
    )
    claim = claim_of(Headers(_BOTO3_HEADERS))
    assert signature_of(request, claim, _SECRET) == _BOTOCORES
