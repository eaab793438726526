"""What is wrong is said in words of our own, in few of them, and never repeats what was sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.bodies.field_problems import MOST_PROBLEMS, invalid
from app.api.routes import REQUEST_BODIES
from app.api.schemas.identify import IdentifyBody
from app.api.schemas.identities_batch import BatchItemBody
from app.api.schemas.parts.field_types import Schema
from app.api.schemas.search import SearchBody
from app.api.schemas.verify import VerifyBody
from tests.api.conftest import image, problem

SECRET = "secret-of-the-caller"
LIBRARY_WORDS = ("pydantic", "Input ", "Value error", "function-", "[key]", "validation")
BODIES = [model for model in REQUEST_BODIES if issubclass(model, Schema)]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        [SECRET, "", "1", "[", "{}", "x" * 5_000, "\x00", "https://a/b.jpg", 10**400]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["in", "filter", "identity_ids", "decisions"]), inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
@settings(max_examples=60)
@given(data=st.data())
def test_problems_are_in_plain_words(model: type[BaseModel], data: st.DataObject) -> None:
    values = data.draw(st.dictionaries(st.sampled_from([*_names(model), "typo"]), ANY) | ANY)
    try:
        model.model_validate(values)
    except ValidationError as error:
        wrong = invalid(error, model)
        assert wrong.problems
        for found in wrong.problems:
            assert found.field
            assert not [word for word in LIBRARY_WORDS if word in found.message], found
            assert SECRET not in found.message
            assert len(found.message) < 400
        assert len(str(wrong)) < 2_000


def _lists(schema: Any) -> Iterator[dict[str, Any]]:
    """Every list that a schema of pydantic's core checks."""
    if isinstance(schema, dict):
        has_fixed_length = schema.get("type") == "tuple" and "variadic_item_index" not in schema
        if schema.get("type") in {"list", "set", "tuple"} and not has_fixed_length:
            yield schema
        for value in schema.values():
            yield from _lists(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _lists(value)


def test_the_lists_of_a_request_are_found() -> None:
    """Else the next test would look at none."""
    assert len(list(_lists(TypeAdapter(SearchBody).core_schema))) >= 3


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
def test_every_list_of_a_request_stops_at_its_first_wrong_item(model: type[BaseModel]) -> None:
    for found in _lists(TypeAdapter(model).core_schema):
        assert found.get("fail_fast"), found
        is_of_photos = "_decode_image" in str(found["items_schema"])  # counted by a setting
        assert is_of_photos or found.get("max_length"), found


MANY = 50_000


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (IdentifyBody, {f"x{i}": 1 for i in range(MANY)}),
        (SearchBody, {"embedding": ["x"] * MANY}),
        (SearchBody, {"filter": {"identity_ids": [1] * MANY}}),
        (SearchBody, {"filter": {"attributes": {f"x{i}": [] for i in range(MANY)}}}),
        (SearchBody, {"filter": {"attributes": {"a": {f"x{i}": [] for i in range(MANY)}}}}),
        (SearchBody, {"filter": {"attributes": {"a": {"in": [{}] * MANY}}}}),
        (SearchBody, {"stages": [{"typo": 1}] * MANY}),
        (BatchItemBody, {"images": [1] * MANY}),
        (BatchItemBody, {"embeddings": [1] * MANY}),
        (BatchItemBody, {"embeddings": [["x"] * MANY]}),
        (BatchItemBody, {"attributes": {"a": [1] * MANY}}),
        (BatchItemBody, {"attributes": {f"x{i}": 1 for i in range(MANY)}}),
    ],
)
def test_many_wrong_items_are_few_problems(model: type[BaseModel], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    assert caught.value.error_count() <= 3


def test_twenty_problems_are_answered_and_all_are_counted(client: TestClient) -> None:
    sent = {f"x{i}": 1 for i in range(21)}
    body = problem(client.post("/v1/detect", json=sent), 422, "invalid_request")
    assert len(body["errors"]) == MOST_PROBLEMS
    assert body["errors"][0] == {"field": "image", "message": "is missing"}
    known = "detect_faces, image, liveness, min_detection_score"
    assert body["errors"][1]["message"] == f"is not known here; there are: {known}"
    assert body["detail"].endswith("; and 19 more")


def test_long_names_are_not_repeated(client: TestClient) -> None:
    name = "x" * 100_000
    for response in (
        client.post("/v1/detect", json={name: 1}),
        client.post("/v1/detect", content=b"{}", headers={"content-type": name}),
        client.post("/v1/detect", files={name: b"x"}),
        client.post(f"/v1/detect?{name[:60_000]}=1", json={}),
        client.get(f"/v1/collections?{name[:60_000]}=1"),
        client.get(f"/v1/{name[:60_000]}"),
        client.post("/v1/detect", json={}, headers={"content-encoding": name}),
    ):
        assert 400 <= response.status_code < 500
        assert len(response.content) < 2_000


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"image_a": "AA!A", "image_b": "AAAA"}, "image_a", "character '!' at position 2"),
        ({"image_a": "AAAA", "image_b": "http://a/b"}, "image_b", "looks like a URL"),
        ({"image_a": "AAAA", "image_b": [255, 216]}, "image_b", "a text in base64"),
        ({"image_a": "AAAA"}, "body", "send either image and identity_id, or one side a"),
        ({"image_a": "AAAA", "image_b": "AAAA", "threshold": "x"}, "threshold", "must be a number"),
        ({"image_a": "AAAA", "image_b": "AAAA", "faces": "all"}, "faces", "'single'"),
    ],
)
def test_problem_says_where_and_what(
    client: TestClient, values: dict[str, Any], field: str, message: str
) -> None:
    assert set(values) <= set(VerifyBody.model_fields)
    (found,) = problem(client.post("/v1/verify", json=values), 422, "invalid_request")["errors"]
    assert found["field"] == field
    assert message in found["message"]


def test_parameters_are_named_as_fields_are(client: TestClient) -> None:
    for url, field, message in (
        ("/v1/collections?limit=x", "limit", "must be a whole number"),
        ("/v1/collections?limt=1", "limt", "is not known here; check its spelling"),
        ("/v1/collections/%20", "collection", "must be 1 to 255 letters, digits, '.', '_' or '-'"),
    ):
        (found,) = problem(client.get(url), 422, "invalid_request")["errors"]
        assert found["field"] == field
        assert found["message"].startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        '{"embedding": [1e999]}',
        '{"embedding": [NaN]}',
        '{"embedding": ["\\ud800"]}',
        '{"face_id": "a\\u0000"}',
        '{"embedding": [' + "9" * 100_000 + "]}",
        '{"top_k": ' + "9" * 4_000 + ', "face_id": "a"}',
        '{"embedding": ' + "[" * 100_000,
        '{"filter": {"attributes": {"a": ' + "9" * 4_000 + '}}, "face_id": "a"}',
        json.dumps({"embedding": [0.0] * 128}),
    ],
    ids=range(9),
)
def test_numbers_and_texts_that_nothing_can_hold_are_refused(
    client: TestClient, collection: str, text: str
) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(
        f"/v1/collections/{collection}/search", content=text.encode(), headers=headers
    )
    assert len(problem(response, 422, "invalid_request")["detail"]) < 500


def test_attributes_that_nothing_can_hold_are_refused(client: TestClient, collection: str) -> None:
    for inner in ("9" * 4_000, "[" * 40 + "]" * 40, '"\\u0000"', "1e999", '"' + "x" * 20_000 + '"'):
        content = f'{{"attributes": {{"a": {inner}}}}}'.encode()
        response = client.post(
            f"/v1/collections/{collection}/identities",
            content=content,
            headers={"content-type": "application/json"},
        )
        assert problem(response, 422, "invalid_request")["errors"][0]["field"] == "attributes"


def test_photo_may_be_the_whole_body(client: TestClient, collection: str) -> None:
    data = image("hopper")["image"][1]
    identify = f"/v1/collections/{collection}/identify"
    enrolled = client.post(
        f"/v1/collections/{collection}/identities?name=Grace%20Hopper",
        content=data,
        headers={"content-type": "image/jpeg"},
    )
    assert enrolled.status_code == 201, enrolled.text
    for content_type in ("Image/JPEG; q=1", "application/octet-stream"):
        headers = {"content-type": content_type}
        found = client.post(f"{identify}?top_k=1", content=data, headers=headers).json()
        assert found["faces"][0]["identity"]["name"] == "Grace Hopper"
    unreadable = client.post("/v1/detect", content=b"x", headers={"content-type": "image/png"})
    problem(unreadable, 422, "image_unreadable")


def test_other_types_are_refused_with_those_that_are_read(client: TestClient) -> None:
    for path, content_type, wanted in (
        ("verify", "image/jpeg", "send multipart/form-data or application/json"),
        ("detect", "text/html", "application/json or a photo as image/jpeg"),
        ("detect", "application/x-www-form-urlencoded", "with curl, a form with a photo is -F"),
        ("collections", "multipart/form-data; boundary=b", "send application/json"),
        ("detect", "", "content-type is missing"),
        ("detect", "application/json; charset=klingon", "send UTF-8"),
    ):
        headers = {"content-type": content_type} if content_type else {}
        response = client.post(f"/v1/{path}", content=b"x", headers=headers)
        assert wanted in problem(response, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("APPLICATION/JSON ; charset=UTF-8", "utf-8"),
        ("application/json", "utf-8-sig"),
        ("application/json", "utf-16"),
        ("application/json; charset=iso-8859-1", "latin-1"),
        ("application/vnd.api+json", "utf-8"),
    ],
)
def test_json_is_read_in_its_charset(
    client: TestClient, collection: str, content_type: str, encoding: str
) -> None:
    response = client.post(
        f"/v1/collections/{collection}/identities",
        content='{"name": "Zo\xeb"}'.encode(encoding),
        headers={"content-type": content_type},
    )
    assert response.json()["identity"]["name"] == "Zo\xeb"
