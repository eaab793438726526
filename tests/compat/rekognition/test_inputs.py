"""What inputs may have: each constraint of the service model, broken once."""

import json
from base64 import b64encode
from typing import Any

import pytest

from app.compat.rekognition.faults import InvalidParameter, SerializationError
from app.compat.rekognition.reading import read_input
from app.compat.rekognition.schemas.base import Input
from app.compat.rekognition.schemas.collections import (
    CreateCollectionInput,
    DeleteCollectionInput,
    DescribeCollectionInput,
    ListCollectionsInput,
)
from app.compat.rekognition.schemas.faces import (
    CompareFacesInput,
    DeleteFacesInput,
    DetectFacesInput,
    IndexFacesInput,
    ListFacesInput,
    SearchFacesByImageInput,
    SearchFacesInput,
)
from app.compat.rekognition.schemas.users import (
    AssociateFacesInput,
    CreateUserInput,
    DeleteUserInput,
    DisassociateFacesInput,
    ListUsersInput,
    SearchUsersByImageInput,
    SearchUsersInput,
)

_ID = "5f1b2a3c-0d4e-5f6a-8b7c-9d0e1f2a3b4c"
_IMAGE = {"Bytes": b64encode(b"photo").decode()}
_IN = {"CollectionId": "people"}
_USER = {**_IN, "UserId": "ada"}
LEAST: dict[type[Input], dict[str, Any]] = {
    CreateCollectionInput: _IN,
    DescribeCollectionInput: _IN,
    DeleteCollectionInput: _IN,
    ListCollectionsInput: {},
    IndexFacesInput: {**_IN, "Image": _IMAGE},
    ListFacesInput: _IN,
    DeleteFacesInput: {**_IN, "FaceIds": [_ID]},
    SearchFacesInput: {**_IN, "FaceId": _ID},
    SearchFacesByImageInput: {**_IN, "Image": _IMAGE},
    CompareFacesInput: {"SourceImage": _IMAGE, "TargetImage": _IMAGE},
    DetectFacesInput: {"Image": _IMAGE},
    CreateUserInput: _USER,
    DeleteUserInput: _USER,
    ListUsersInput: _IN,
    AssociateFacesInput: {**_USER, "FaceIds": [_ID]},
    DisassociateFacesInput: {**_USER, "FaceIds": [_ID]},
    SearchUsersInput: _USER,
    SearchUsersByImageInput: {**_IN, "Image": _IMAGE},
}
"""The least input of each operation."""

_BROKEN: dict[str, list[Any]] = {
    "CollectionId": ["", "has space", "a" * 256, "ä", 7, "a\n"],
    "Tags": [
        {"": "x"},
        {"aws:x": "y"},
        {"k" * 129: "v"},
        {"k": "v" * 257},
        {"k": "v\n"},
        [],
        {f"k{place}": "v" for place in range(201)},
    ],
    "MaxFaces": [0, "1", 1.5, True],
    "MaxUsers": [0, 501, True],
    "NextToken": ["a" * 256, 7],
    "ExternalImageId": ["", "a b", "a" * 256],
    "DetectionAttributes": [["NOSUCH"], "ALL"],
    "Attributes": [["NOSUCH"], "ALL"],
    "QualityFilter": ["BEST", "auto", ""],
    "FaceMatchThreshold": [-0.1, 150, "80", True],
    "SimilarityThreshold": [-1, 100.5],
    "UserMatchThreshold": [-1, 101],
    "UserId": ["", "a/b", "a" * 129],
    "FaceId": ["not-a-uuid", _ID.upper(), _ID.replace("-", ""), _ID + "\n"],
    "FaceIds": [[], ["not-a-uuid"], [_ID] * 4_097, _ID],
    "ClientRequestToken": ["", "a" * 65, "a.b"],
    "Image": [
        {},
        {"Bytes": ""},
        {"Bytes": "no base64!"},
        {"Bytes": 7},
        "photo",
        {"S3Object": {"Bucket": "b"}},
        {**_IMAGE, "S3Object": {"Bucket": "faces", "Name": "a"}},
    ],
}
_BROKEN |= {"SourceImage": _BROKEN["Image"], "TargetImage": _BROKEN["Image"]}
_MAX_RESULTS: dict[type[Input], list[Any]] = {ListUsersInput: [0, 501, True]}

_CASES = [
    (model, {**least, name: value})
    for model, least in LEAST.items()
    for name in [field.alias for field in model.model_fields.values()]
    for value in (
        _MAX_RESULTS.get(model, [-1, 4_097, "1"]) if name == "MaxResults" else _BROKEN[str(name)]
    )
]


async def _read(model: type[Input], values: object) -> Input:
    return await read_input(bytearray(json.dumps(values).encode()), model)


@pytest.mark.parametrize(("model", "values"), _CASES)
async def test_a_broken_constraint_is_an_invalid_parameter(
    model: type[Input], values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidParameter):
        await _read(model, values)


@pytest.mark.parametrize("model", LEAST)
async def test_a_required_member_is_missed_and_others_have_defaults(model: type[Input]) -> None:
    least = LEAST[model]
    await _read(model, least)
    for name in least:
        with pytest.raises(InvalidParameter):
            await _read(model, {key: value for key, value in least.items() if key != name})
    nulls = {str(field.alias): None for field in model.model_fields.values()}
    await _read(model, {**nulls, **least, "SomethingNew": 1})


async def test_bounds_of_single_operations() -> None:
    with pytest.raises(InvalidParameter):
        await _read(AssociateFacesInput, {**_USER, "FaceIds": [_ID] * 101})
    with pytest.raises(InvalidParameter):
        await _read(SearchFacesInput, {**_IN, "FaceId": _ID, "MaxFaces": 4_097})
    with pytest.raises(InvalidParameter):
        await _read(SearchUsersInput, {**_USER, "FaceId": _ID})
    await _read(ListFacesInput, {**_IN, "MaxResults": 0, "FaceIds": [_ID] * 4_096})


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b"\xff", b"NaN"])
async def test_what_is_no_object_is_told_apart(raw: bytes) -> None:
    with pytest.raises(SerializationError):
        await read_input(bytearray(raw), ListCollectionsInput)


async def test_an_empty_body_is_an_empty_object() -> None:
    assert await read_input(bytearray(), ListCollectionsInput) == ListCollectionsInput()
