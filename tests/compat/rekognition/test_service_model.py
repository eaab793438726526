"""The inputs and outputs, compared with the service model that AWS' own clients have."""

import re
from typing import Any

from app.compat.rekognition.error_types import TYPES
from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.test_inputs import LEAST
from tests.compat.rekognition.test_photos import image
from tests.kit.clients import needs_client, run_client

_OPERATIONS = {model.__name__.removesuffix("Input"): model for model in LEAST}
_BOUNDS = {
    "min": ("minLength", "minItems", "minProperties", "minimum"),
    "max": ("maxLength", "maxItems", "maxProperties", "maximum"),
}
_TYPES = {"string": "string", "integer": "integer", "float": "number", "list": "array"}
_TYPES |= {"structure": "object", "map": "object", "blob": "string"}
_UNKNOWN = "00000000-0000-4000-8000-000000000000"
# How large an image may be is a setting.
_DIFFERENT = {("Bytes", "max")}


@needs_client("boto3")
def test_inputs_have_the_members_and_constraints_of_the_service_model() -> None:
    found = {one.name: one.answer for one in run_client("rekognition_model", **_given())}
    assert set(found["inputs"]) == set(_OPERATIONS)
    for name, model in _OPERATIONS.items():
        schema = model.model_json_schema()
        assert list(_differences(schema, found["inputs"][name], schema, name)) == []
    known = {error for names in found["errors"].values() for error in names}
    ours = {kind.name for _, kind in TYPES}
    # What a service's model never names, as all services of AWS have it.
    common = {"UnrecognizedClientException", "IncompleteSignatureException"}
    common |= {"InvalidSignatureException", "RequestTimeoutException"}
    assert ours - common <= known


@needs_client("boto3")
def test_outputs_are_those_that_the_service_model_describes(
    rekognition: Rekognition, collection: str
) -> None:
    """Every member that an answer has is known, and within its bounds; nulls are left out."""
    outputs: list[tuple[str, dict[str, Any]]] = []

    def call(operation: str, **body: Any) -> dict[str, Any]:
        output = rekognition.call(operation, **body)
        outputs.append((operation, output))
        return output

    inside = {"CollectionId": collection}
    user = {**inside, "UserId": "ada"}
    call("CreateCollection", CollectionId=f"{collection}.made")
    call("DescribeCollection", **inside)
    call("ListCollections", MaxResults=1)
    call("DetectFaces", Image=image("group"))
    call("CompareFaces", SourceImage=image("hopper"), TargetImage=image("group"))
    indexed = call("IndexFaces", **inside, Image=image("group"), ExternalImageId="a:1", MaxFaces=1)
    faces = [indexed["FaceRecords"][0]["Face"]["FaceId"]]
    another = call("IndexFaces", **inside, Image=image("astronaut"))["FaceRecords"][0]["Face"]
    call("CreateUser", **user)
    call("AssociateFaces", **user, FaceIds=[*faces, _UNKNOWN])
    call("ListUsers", **inside)
    call("ListFaces", **inside, MaxResults=1)
    call("SearchFaces", **inside, FaceId=faces[0], FaceMatchThreshold=0)
    call("SearchFacesByImage", **inside, Image=image("group"), FaceMatchThreshold=0)
    call("SearchUsers", **inside, FaceId=faces[0], UserMatchThreshold=0)
    call("SearchUsersByImage", **inside, Image=image("group"), UserMatchThreshold=0)
    call("DeleteFaces", **inside, FaceIds=[*faces, _UNKNOWN, another["FaceId"]])
    call("DisassociateFaces", **user, FaceIds=[*faces, _UNKNOWN])
    call("DeleteUser", **user)
    call("DeleteFaces", **inside, FaceIds=faces)
    call("DeleteCollection", CollectionId=f"{collection}.made")
    assert {name for name, _ in outputs} == set(_OPERATIONS)
    with_outputs = [(name, output) for name, output in outputs if output]
    found = run_client("rekognition_model", **_given(), outputs=with_outputs)
    assert [one.answer for one in found if one.name == "faults"] == [[]]


def _given() -> dict[str, Any]:
    return {"operations": [*_OPERATIONS]}


def _differences(
    ours: dict[str, Any], theirs: dict[str, Any], schema: dict[str, Any], place: str
) -> list[str]:
    ours = _resolved(ours, schema)
    found = []
    if ours.get("type", "string") != _TYPES[theirs["type"]]:
        found.append(f"{place}: {ours.get('type')} is no {theirs['type']}")
    for bound, names in _BOUNDS.items():
        own = next((ours[name] for name in names if name in ours), None)
        their = theirs.get(bound)
        # No length is below 0, and none is needed to say so.
        if (own or 0) != (their or 0) and (place.rpartition(".")[2], bound) not in _DIFFERENT:
            found.append(f"{place}: {bound} {own} is not {their}")
    if ours.get("enum") != theirs.get("enum"):
        found.append(f"{place}: {ours.get('enum')} is not {theirs.get('enum')}")
    if _bare(ours.get("pattern")) != _bare(theirs.get("pattern")):
        found.append(f"{place}: {ours.get('pattern')} is not {theirs.get('pattern')}")
    if theirs["type"] == "structure":
        own_members = ours["properties"]
        if set(own_members) != set(theirs["members"]):
            found.append(f"{place}: {set(own_members)} are not {set(theirs['members'])}")
        if sorted(ours.get("required", [])) != theirs["required"]:
            found.append(f"{place}: {ours.get('required')} is required, not {theirs['required']}")
        for name in set(own_members) & set(theirs["members"]):
            inner = theirs["members"][name]
            found += _differences(own_members[name], inner, schema, f"{place}.{name}")
    if theirs["type"] == "list":
        found += _differences(ours["items"], theirs["item"], schema, f"{place}[]")
    if theirs["type"] == "map":
        ((pattern, own_value),) = ours["patternProperties"].items()
        own_key = {"type": "string", "pattern": pattern, **ours["propertyNames"]}
        found += _differences(own_key, theirs["key"], schema, f"{place}.key")
        found += _differences(own_value, theirs["value"], schema, f"{place}.value")
    return found


def _resolved(ours: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The part of a schema that says what a member is, where it is not left out."""
    for option in ours.get("anyOf", ()):
        if option != {"type": "null"}:
            return _resolved(option, schema)
    if "$ref" in ours:
        named: dict[str, Any] = schema["$defs"][ours["$ref"].rpartition("/")[2]]
        return named
    return ours


def _bare(pattern: str | None) -> str | None:
    """A pattern without what different engines write differently."""
    if pattern is None:
        return None
    # A look ahead, which pydantic's engine does not have, is a validator of ours.
    return re.sub(r"\(\?![^)]*\)|[\\^$()]", "", pattern)
