"""boto3: create, index, list, search, compare, associate, delete, as programs do it."""

from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.calls import call, given

_IN = {"CollectionId": "boto3.people"}
_UNKNOWN = "00000000-0000-4000-8000-000000000000"


def main() -> None:
    arguments = given()
    client = boto3.client(
        "rekognition",
        endpoint_url=arguments["url"],
        region_name="eu-central-1",
        aws_access_key_id=arguments["access_key_id"],
        aws_secret_access_key=arguments["secret"],
        config=Config(retries={"max_attempts": 1}),
    )
    image = {name: {"Bytes": Path(path).read_bytes()} for name, path in arguments["photos"].items()}

    def failing(name: str, expected: str, operation: str, **sent: Any) -> None:
        """Call an operation that fails; its typed exception is what programs catch."""

        def catch() -> dict[str, Any]:
            kind = getattr(client.exceptions, expected, ClientError)
            try:
                getattr(client, operation)(**sent)
            except kind as error:
                response: dict[str, Any] = error.response
                return response
            raise AssertionError(f"{operation} did not raise {expected}")

        call(name, catch)

    call("create", client.create_collection, **_IN, Tags={"team": "door"})
    failing("create again", "ResourceAlreadyExistsException", "create_collection", **_IN)
    call("describe", client.describe_collection, **_IN)
    call("list collections", _all, client, "list_collections", "CollectionIds")
    failing(
        "describe another", "ResourceNotFoundException", "describe_collection", CollectionId="a"
    )
    failing("broken name", "InvalidParameterException", "describe_collection", CollectionId="a b")
    failing("broken id", "InvalidParameterException", "search_faces", **_IN, FaceId="not-a-uuid")
    failing("no image", "InvalidParameterException", "detect_faces", Image={})
    failing("no bytes", "InvalidParameterException", "detect_faces", Image={"Bytes": b""})
    s3 = {"S3Object": {"Bucket": "faces", "Name": "ada.jpg"}}
    failing("bucket", "InvalidS3ObjectException", "detect_faces", Image=s3)
    no_image = {"Bytes": b"this is no image"}
    failing("no photo", "InvalidImageFormatException", "detect_faces", Image=no_image)
    failing("not offered", "AccessDeniedException", "detect_labels", Image=image["eileen"])

    call("detect", client.detect_faces, Image=image["group"], Attributes=["ALL"])
    call("detect nobody", client.detect_faces, Image=image["coffee"])
    pair = {"SourceImage": image["eileen"], "TargetImage": image["eileen_again"]}
    call("compare", client.compare_faces, **pair)
    pair["TargetImage"] = image["grace"]
    call("compare others", client.compare_faces, **pair)
    pair["TargetImage"] = image["coffee"]
    failing("compare with nobody", "InvalidParameterException", "compare_faces", **pair)

    ids = {}
    for name in ("eileen", "grace"):
        label = {"ExternalImageId": f"{name}.jpg"}
        done = call(f"index {name}", client.index_faces, **_IN, Image=image[name], **label)
        assert done is not None
        ids[name] = done["FaceRecords"][0]["Face"]["FaceId"]
    call(
        "index again",
        client.index_faces,
        **_IN,
        Image=image["eileen"],
        ExternalImageId="eileen.jpg",
    )
    group: dict[str, Any] = {"Image": image["group"], "ExternalImageId": "group.jpg"}
    call("index several", client.index_faces, **_IN, **group, MaxFaces=1)
    call("index nobody", client.index_faces, **_IN, Image=image["coffee"])
    call("list", _all, client, "list_faces", "Faces", **_IN, PaginationConfig={"PageSize": 2})
    call("list one", client.list_faces, **_IN, FaceIds=[ids["grace"]])

    call("search eileen", client.search_faces_by_image, **_IN, Image=image["eileen_again"])
    call("search grace", client.search_faces_by_image, **_IN, Image=image["grace_again"])
    call("search a stranger", client.search_faces_by_image, **_IN, Image=image["stranger"])
    failing(
        "search nobody",
        "InvalidParameterException",
        "search_faces_by_image",
        **_IN,
        Image=image["coffee"],
    )
    call("search a face", client.search_faces, **_IN, FaceId=ids["eileen"], FaceMatchThreshold=90)

    user = {**_IN, "UserId": "eileen"}
    call("create user", client.create_user, **user)
    failing("create user again", "ConflictException", "create_user", **user)
    call("associate", client.associate_faces, **user, FaceIds=[ids["eileen"]])
    call("list users", _all, client, "list_users", "Users", **_IN)
    call("search users", client.search_users_by_image, **_IN, Image=image["eileen_again"])
    call("delete a user's", client.delete_faces, **_IN, FaceIds=[ids["eileen"]])
    call("disassociate", client.disassociate_faces, **user, FaceIds=[ids["eileen"]])
    call("delete user", client.delete_user, **user)

    call("delete", client.delete_faces, **_IN, FaceIds=[ids["eileen"], _UNKNOWN])
    call("search who is deleted", client.search_faces_by_image, **_IN, Image=image["eileen_again"])
    call("delete collection", client.delete_collection, **_IN)
    failing("delete collection again", "ResourceNotFoundException", "delete_collection", **_IN)


def _all(client: Any, operation: str, items: str, **sent: Any) -> list[Any]:
    """All pages of a list."""
    pages = client.get_paginator(operation).paginate(**sent)
    return [item for page in pages for item in page[items]]


if __name__ == "__main__":
    main()
