"""Requests to the letter as AWS' clients were recorded to send them; they need no client."""

import json
from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient

from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.test_photos import image

_ID = "5f1b2a3c-0d4e-5f6a-8b7c-9d0e1f2a3b4c"
_TOKEN = "a1ced0f9-21dd-4023-bb78-77ad0b224717"
_SENT = {
    "CreateCollection": '{"CollectionId": "C", "Tags": {"team": "door"}}',
    "DescribeCollection": '{"CollectionId": "C"}',
    "ListCollections": '{"MaxResults": 10}',
    "IndexFaces": '{"CollectionId": "C", "Image": {"Bytes": "B"}, "ExternalImageId": "ada", '
    '"DetectionAttributes": ["DEFAULT"], "MaxFaces": 1, "QualityFilter": "AUTO"}',
    "ListFaces": '{"CollectionId": "C", "MaxResults": 20}',
    "CreateUser": f'{{"CollectionId": "C", "UserId": "ada", "ClientRequestToken": "{_TOKEN}"}}',
    "AssociateFaces": f'{{"CollectionId": "C", "UserId": "ada", "FaceIds": ["{_ID}"], '
    f'"UserMatchThreshold": 75, "ClientRequestToken": "{_TOKEN}"}}',
    "ListUsers": '{"CollectionId": "C", "MaxResults": 100}',
    "SearchUsers": '{"CollectionId": "C", "UserId": "ada", "UserMatchThreshold": 80, '
    '"MaxUsers": 5}',
    "DisassociateFaces": f'{{"CollectionId": "C", "UserId": "ada", "FaceIds": ["{_ID}"], '
    '"ClientRequestToken": "tok-1"}',
    "CompareFaces": '{"SourceImage": {"Bytes": "B"}, "TargetImage": {"Bytes": "B"}, '
    '"SimilarityThreshold": 80, "QualityFilter": "NONE"}',
    "DetectFaces": '{"Image": {"Bytes": "B"}, "Attributes": ["ALL"]}',
    "SearchFacesByImage": '{"CollectionId": "C", "Image": {"Bytes": "B"}, "MaxFaces": 5, '
    '"FaceMatchThreshold": 80.5, "QualityFilter": "NONE"}',
    "SearchUsersByImage": '{"CollectionId": "C", "Image": {"Bytes": "B"}, '
    '"UserMatchThreshold": 80, "MaxUsers": 5, "QualityFilter": "NONE"}',
    "DeleteFaces": f'{{"CollectionId": "C", "FaceIds": ["{_ID}"]}}',
    "DeleteUser": f'{{"CollectionId": "C", "UserId": "ada", "ClientRequestToken": "{_TOKEN}"}}',
    "DeleteCollection": '{"CollectionId": "C"}',
}
"""In an order in which each succeeds."""
_CREDENTIAL = "AKIAVULTUSEXAMPLE000/20261129/us-east-1/rekognition/aws4_request"
_BOTO3 = {
    "Content-Type": "application/x-amz-json-1.1",
    "User-Agent": "Boto3/1.44.8 md/Botocore#1.44.8",
    "X-Amz-Date": "20261129T210845Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
    "Signature=fa6f281eca502c275839adf9fc58fdd61f8b41702fe11c8d34583567413ba177",
    "amz-sdk-invocation-id": _TOKEN,
    "amz-sdk-request": "attempt=1; max=3",
    "Accept-Encoding": "identity",
}
_JAVASCRIPT = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-user-agent": "aws-sdk-js/3.1141.0",
    "amz-sdk-invocation-id": _TOKEN,
    "amz-sdk-request": "attempt=1; max=3",
    "x-amz-date": "20261129T210846Z",
    "x-amz-content-sha256": "a0e5ae35baedd562fcbff3f9abb0dc030e1d749521641bb5c929b4a0ece40eca",
    "authorization": f"AWS4-HMAC-SHA256 Credential={_CREDENTIAL}, SignedHeaders="
    "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;"
    "x-amz-date;x-amz-target;x-amz-user-agent, "
    "Signature=02918a82c90bbcde707ced0a08a6e3360a13c355d9e8c766c224e0dafe31808c",
}


@pytest.mark.parametrize(
    ("headers", "path", "has_spaces"),
    [(_BOTO3, "/", True), (_BOTO3, "/rekognition", True), (_JAVASCRIPT, "/rekognition/", False)],
)
def test_what_clients_send_is_answered(
    client: TestClient,
    collection: str,
    headers: Mapping[str, str],
    path: str,
    *,
    has_spaces: bool,
) -> None:
    """Without keys, whatever the signature is over."""
    for operation, sent in _SENT.items():
        values = json.loads(
            sent.replace('"B"', json.dumps(image("hopper")["Bytes"])).replace(
                '"C"', json.dumps(f"{collection}.{len(path)}")
            )
        )
        body = json.dumps(values, separators=None if has_spaces else (",", ":"))
        answer = client.post(
            path,
            content=body.encode(),
            headers={**headers, "X-Amz-Target": f"RekognitionService.{operation}"},
        )
        assert answer.status_code == 200, f"{operation}: {answer.text}"
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"


def test_search_faces_is_asked_by_an_id_that_was_indexed(
    rekognition: Rekognition, collection: str
) -> None:
    done = rekognition.call("IndexFaces", CollectionId=collection, Image=image("hopper"))
    face_id = done["FaceRecords"][0]["Face"]["FaceId"]
    sent = f'{{"CollectionId": "{collection}", "FaceId": "{face_id}", "MaxFaces": 10, '
    output = rekognition.call("SearchFaces", **json.loads(sent + '"FaceMatchThreshold": 90}'))
    assert output["SearchedFaceId"] == face_id
