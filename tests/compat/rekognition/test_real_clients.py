"""AWS' own clients against a real server that demands keys."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from app.demo.demo_gallery import PHOTOS
from tests.compat.rekognition.signer import Pair
from tests.kit.clients import Call, needs_client, run_client, run_program
from tests.kit.photos import coffee, encoded
from tests.kit.server import running


@dataclass(frozen=True)
class _Server:
    url: str
    pair: Pair

    def run(self, program: str, photos: dict[str, str]) -> dict[str, Call]:
        calls = run_client(
            program,
            url=self.url,
            access_key_id=self.pair.access_key_id,
            secret=self.pair.secret,
            photos=photos,
        )
        return {call.name: call for call in calls}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    with running(tmp_path_factory.mktemp("rekognition"), VULTUS_API_KEYS="key") as started:
        body = {"name": "aws", "role": "admin", "aws": True}
        made = httpx2.post(f"{started.url}/v1/keys", json=body, headers={"x-api-key": "key"})
        pair = made.json()["aws"]
        yield _Server(
            f"{started.url}/rekognition", Pair(pair["access_key_id"], pair["secret_access_key"])
        )


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of photos by name."""
    nobody = tmp_path_factory.mktemp("photos") / "coffee.jpg"
    nobody.write_bytes(encoded(coffee()))
    shipped = {path.stem: str(path) for path in PHOTOS.glob("*.jpg")}
    return shipped | {"stranger": str(PHOTOS / "mona_lisa.jpg"), "coffee": str(nobody)}


def _ids(matches: list[dict[str, Any]]) -> list[str]:
    return [match["Face"]["ExternalImageId"] for match in matches]


@needs_client("boto3")
def test_boto3(server: _Server, photos: dict[str, str]) -> None:
    calls = server.run("rekognition_boto3", photos)
    assert [(call.name, call.text) for call in calls.values() if call.error] == []

    def answer(name: str) -> Any:
        return calls[name].answer

    def code(name: str) -> str:
        error: dict[str, str] = answer(name)["Error"]
        assert error["Message"]
        return error["Code"]

    assert answer("create")["StatusCode"] == 200
    assert answer("create")["ResponseMetadata"]["RequestId"]
    assert answer("describe")["FaceCount"] == 0
    assert answer("describe")["CreationTimestamp"].startswith("20")
    assert "boto3.people" in answer("list collections")
    assert code("bucket") == "InvalidS3ObjectException"
    assert code("not offered") == "AccessDeniedException"

    assert len(answer("detect")["FaceDetails"]) > 1
    assert {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"} == set(
        answer("detect")["FaceDetails"][0]
    )
    assert answer("detect nobody")["FaceDetails"] == []
    assert answer("compare")["FaceMatches"][0]["Similarity"] >= 80
    assert answer("compare others")["FaceMatches"] == []
    assert len(answer("compare others")["UnmatchedFaces"]) == 1
    text = answer("compare with nobody")["Error"]["Message"]
    assert text == "Request has invalid parameters"

    (record,) = answer("index eileen")["FaceRecords"]
    assert record["Face"]["ExternalImageId"] == "eileen.jpg"
    assert answer("index again")["FaceRecords"][0]["Face"] == record["Face"]
    assert len(answer("index several")["FaceRecords"]) == 1
    beyond = answer("index several")["UnindexedFaces"]
    assert {reason for face in beyond for reason in face["Reasons"]} == {"EXCEEDS_MAX_FACES"}
    assert answer("index nobody")["FaceRecords"] == []
    assert len(answer("list")) == 3
    assert [face["ExternalImageId"] for face in answer("list one")["Faces"]] == ["grace.jpg"]

    assert _ids(answer("search eileen")["FaceMatches"])[0] == "eileen.jpg"
    assert _ids(answer("search grace")["FaceMatches"])[0] == "grace.jpg"
    assert answer("search a stranger")["FaceMatches"] == []
    text = answer("search nobody")["Error"]["Message"]
    assert text == "There are no faces in the image. Should be at least 1."
    assert answer("search a face")["SearchedFaceId"] == record["Face"]["FaceId"]

    assert answer("associate")["UserStatus"] == "ACTIVE"
    assert answer("list users") == [{"UserId": "eileen", "UserStatus": "ACTIVE"}]
    assert answer("search users")["UserMatches"][0]["User"]["UserId"] == "eileen"
    (kept,) = answer("delete a user's")["UnsuccessfulFaceDeletions"]
    assert kept["Reasons"] == ["ASSOCIATED_TO_AN_EXISTING_USER"]
    assert kept["UserId"] == "eileen"

    assert answer("delete")["DeletedFaces"] == [record["Face"]["FaceId"]]
    (missing,) = answer("delete")["UnsuccessfulFaceDeletions"]
    assert missing["Reasons"] == ["FACE_NOT_FOUND"]
    assert "eileen.jpg" not in _ids(answer("search who is deleted")["FaceMatches"])


@needs_client("@aws-sdk/client-rekognition")
def test_javascript(server: _Server, photos: dict[str, str]) -> None:
    calls = server.run("rekognition.mjs", photos)
    errors = {call.name: call.error for call in calls.values() if call.error}
    assert errors == {
        "create again": "ResourceAlreadyExistsException",
        "broken name": "InvalidParameterException",
        "compare with nobody": "InvalidParameterException",
        "search nobody": "InvalidParameterException",
    }
    assert calls["search nobody"].text == "There are no faces in the image. Should be at least 1."
    assert calls["describe"].answer["CreationTimestamp"].startswith("20")
    assert calls["describe"].answer["$metadata"]["requestId"]
    assert "javascript" in calls["list collections"].answer["CollectionIds"]
    assert len(calls["detect"].answer["FaceDetails"]) > 1
    assert calls["compare"].answer["FaceMatches"][0]["Similarity"] >= 80
    assert len(calls["list"].answer["Faces"]) == 2
    assert _ids(calls["search eileen"].answer["FaceMatches"]) == ["eileen"]
    assert calls["search a stranger"].answer["FaceMatches"] == []
    assert calls["search users"].answer["UserMatches"][0]["User"]["UserId"] == "eileen"
    assert len(calls["delete"].answer["DeletedFaces"]) == 1
    assert calls["search who is deleted"].answer["FaceMatches"] == []


@needs_client("awscli")
def test_the_aws_cli(server: _Server, photos: dict[str, str]) -> None:
    def aws(*arguments: str) -> Any:
        printed = run_program(
            "aws",
            "rekognition",
            *arguments,
            AWS_ENDPOINT_URL_REKOGNITION=server.url,
            AWS_DEFAULT_REGION="eu-central-1",
            AWS_ACCESS_KEY_ID=server.pair.access_key_id,
            AWS_SECRET_ACCESS_KEY=server.pair.secret,
        )
        return json.loads(printed)

    eileen = f"fileb://{photos['eileen']}"
    compared = aws("compare-faces", "--source-image-bytes", eileen, "--target-image-bytes", eileen)
    assert compared["FaceMatches"][0]["Similarity"] >= 99
    indexed = aws("index-faces", "--collection-id", "default", "--image-bytes", eileen)
    assert len(indexed["FaceRecords"]) == 1
