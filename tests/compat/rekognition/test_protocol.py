"""The protocol: targets, paths, bodies, request ids, and the errors of all of them."""

import pytest
from fastapi.testclient import TestClient

from tests.compat.rekognition.signer import Pair, Rekognition, failure


@pytest.mark.parametrize("path", ["/", "/rekognition", "/rekognition/"])
@pytest.mark.parametrize("pair", [None, Pair("AKIAANYBODY", "any secret")])
def test_without_keys_any_signature_passes_on_all_paths(
    client: TestClient, path: str, pair: Pair | None
) -> None:
    output = Rekognition(client, pair, path=path).call("ListCollections")
    assert "default" in output["CollectionIds"]
    assert len(output["FaceModelVersions"]) == len(output["CollectionIds"])


def test_the_root_is_the_services_own_without_a_target(client: TestClient) -> None:
    assert client.get("/", headers={"accept": "application/json"}).json()["name"] == "Vultus"


def test_what_is_not_offered_is_denied_by_name(rekognition: Rekognition) -> None:
    message = rekognition.fail("DetectModerationLabels", "AccessDeniedException")
    assert "DetectModerationLabels" in message


def test_another_target_or_method_is_an_unknown_operation(client: TestClient) -> None:
    target = {"x-amz-target": "DynamoDB_20120810.ListTables"}
    failure(client.post("/", headers=target, json={}), "UnknownOperationException")
    failure(client.post("/rekognition", json={}), "UnknownOperationException")
    failure(client.get("/rekognition"), "UnknownOperationException")


def test_a_body_that_is_no_object_cannot_be_read(client: TestClient) -> None:
    target = {"x-amz-target": "RekognitionService.ListCollections"}
    for body in (b"{", b"[]", b"photo"):
        answer = client.post("/rekognition", content=body, headers=target)
        failure(answer, "SerializationException")
    assert client.post("/rekognition", headers=target).status_code == 200


def test_a_constraint_is_named(rekognition: Rekognition) -> None:
    message = rekognition.fail(
        "DescribeCollection", "InvalidParameterException", CollectionId="has space"
    )
    assert "CollectionId" in message


def test_collections_are_created_described_listed_and_deleted(rekognition: Rekognition) -> None:
    made = rekognition.call("CreateCollection", CollectionId="people", Tags={"team": "door"})
    assert made["StatusCode"] == 200
    assert made["CollectionArn"] == "aws:rekognition:us-east-1:000000000000:collection/people"
    rekognition.fail("CreateCollection", "ResourceAlreadyExistsException", CollectionId="people")
    rekognition.call("CreateCollection", CollectionId="People")  # case counts
    for name in (".", ".."):  # /v1 could not name them
        rekognition.fail("CreateCollection", "InvalidParameterException", CollectionId=name)

    seen = rekognition.call("DescribeCollection", CollectionId="people")
    assert (seen["FaceCount"], seen["UserCount"]) == (0, 0)
    assert seen["FaceModelVersion"] == made["FaceModelVersion"]
    assert seen["CollectionARN"] == f"arn:{made['CollectionArn']}"
    assert isinstance(seen["CreationTimestamp"], float)

    listed: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = rekognition.call("ListCollections", MaxResults=1, **token)
        assert len(page["CollectionIds"]) == 1
        listed += page["CollectionIds"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert {"people", "People"} < set(listed)
    rekognition.fail("ListCollections", "InvalidPaginationTokenException", NextToken="%")

    for name in ("people", "People"):
        assert rekognition.call("DeleteCollection", CollectionId=name) == {"StatusCode": 200}
    for operation in ("DeleteCollection", "DescribeCollection"):
        rekognition.fail(operation, "ResourceNotFoundException", CollectionId="people")


def test_the_region_of_a_collection_is_that_of_the_signature(client: TestClient) -> None:
    signed = Rekognition(client, Pair("AKIAANYBODY", "any"))
    arn = signed.call("DescribeCollection", CollectionId="default")["CollectionARN"]
    assert arn == "arn:aws:rekognition:eu-central-1:000000000000:collection/default"


def test_the_log_and_the_metrics_name_the_operation(
    client: TestClient, rekognition: Rekognition
) -> None:
    rekognition.call("ListCollections")
    assert 'route="/rekognition#ListCollections"' in client.get("/metrics").text
