"""How a face is looked up may be said in a form, in the query or in JSON, on photos and not."""

import json
from base64 import b64encode
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, photo, problem
from tests.api.people import embedding, enroll_all, like, names

PROBE = embedding(0)
OPTIONS: dict[str, Any] = {
    "filter": {"attributes": {"site": "bern"}},
    "terminal_id": "door",
    "min_revision": 1,
    "top_k": 3,
    "threshold": -1.0,
}
AS_TEXT = {
    name: json.dumps(value) if isinstance(value, dict) else str(value)
    for name, value in OPTIONS.items()
}


@pytest.fixture(autouse=True)
def _people(client: TestClient, collection: str) -> None:
    """Two in Berne and the one who is most like the probe elsewhere.

    Without a margin: how far the photo is from either is not what these tests are about.
    """
    enroll_all(
        client,
        collection,
        *(
            {"name": name, "attributes": {"site": site}, "embeddings": [like(PROBE, similarity)]}
            for name, site, similarity in (("a", "rome", 0.9), ("b", "bern", 0.8), ("c", "bern", 0))
        ),
    )
    options = {"options": {"decisions": {"margin": 0}}}
    client.patch(f"/v1/collections/{collection}", json=options).raise_for_status()


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"embedding": PROBE, **OPTIONS}},
        {"json": {"embedding": PROBE}, "params": AS_TEXT},
        {"json": {"embedding": PROBE, "filter": OPTIONS["filter"]}, "params": {"top_k": "3"}},
        {"json": {"embedding": PROBE, **OPTIONS}, "params": {"filter": "{}", "threshold": "1"}},
    ],
    ids=["json", "query", "both", "json-over-query"],
)
def test_embedding_is_searched_as_asked(
    client: TestClient, collection: str, body: dict[str, Any]
) -> None:
    found = client.post(f"/v1/collections/{collection}/search", **body).json()
    assert names(found) == ["b", "c"]


@pytest.mark.parametrize("way", ["form", "query", "json"])
def test_photo_is_identified_as_asked(client: TestClient, collection: str, way: str) -> None:
    encoded = b64encode(photo("hopper")).decode("ascii")
    bodies: dict[str, dict[str, Any]] = {
        "form": {"files": image("hopper"), "data": AS_TEXT},
        "query": {"files": image("hopper"), "params": AS_TEXT},
        "json": {"json": {"image": encoded, **OPTIONS}},
    }
    body = bodies[way]
    url = f"/v1/collections/{collection}/identify"
    (first,) = client.post(url, **body).json()["faces"]
    assert (first["status"], first["threshold"], first["matched_stage"]) == ("match", -1, 0)
    assert sorted(names(first)) == ["b", "c"]
    (again,) = client.post(url, **body).json()["faces"]
    assert again["matched_stage"] == "terminal"
    assert names(again) == names(first)[:1]


def test_every_face_of_a_photo_goes_through_the_stages(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("hopper", name="Grace", attributes='{"badge": true}')
    enroll("astronaut", name="Eileen", attributes='{"badge": false}')
    stages = [{"filter": {"attributes": {"badge": True}}}, {"filter": {}}]
    options = {"stages": json.dumps(stages), "terminal_id": "gate", "max_faces": "1"}
    url = f"/v1/collections/{collection}/identify"
    (grace,) = client.post(url, files=image("group"), data=options).json()["faces"]
    assert (grace["identity"]["name"], grace["matched_stage"]) == ("Grace", 0)
    options["max_faces"] = "5"
    grace, eileen = client.post(url, files=image("group"), data=options).json()["faces"]
    assert (grace["identity"]["name"], grace["matched_stage"]) == ("Grace", "terminal")
    assert (eileen["identity"]["name"], eileen["matched_stage"]) == ("Eileen", 1)
    faces = client.post(url, files=image("group"), data=options).json()["faces"]
    assert [face["matched_stage"] for face in faces] == ["terminal", "terminal"]


def test_photo_without_a_face_has_an_empty_answer_whatever_is_asked(
    client: TestClient, collection: str
) -> None:
    options = {"stages": "[{}, {}]", "terminal_id": "door", "min_revision": "1"}
    found = client.post(
        f"/v1/collections/{collection}/identify", files=image("coffee"), data=options
    )
    assert found.json()["faces"] == []


@pytest.mark.parametrize("path", ["identify", "search"])
@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filter": "{}", "stages": "[{}]"}, "body"),
        ({"filter": '{"attributes": {"a": {"endswith": "b"}}}'}, "filter.attributes.a.endswith"),
        ({"filter": "{"}, "filter"),
        ({"filter": ""}, "filter"),
        ({"stages": "[]"}, "stages"),
        ({"terminal_id": "a b"}, "terminal_id"),
        ({"min_revision": "soon"}, "min_revision"),
    ],
)
def test_wrong_options_are_refused_alike_everywhere(
    client: TestClient, collection: str, path: str, options: dict[str, str], field: str
) -> None:
    url = f"/v1/collections/{collection}/{path}"
    if path == "search":
        responses = [client.post(url, json={"embedding": PROBE}, params=options)]
    else:
        responses = [
            client.post(url, files=image("coffee"), data=options),
            client.post(url, files=image("coffee"), params=options),
        ]
    for response in responses:
        (named,) = problem(response, 422, "invalid_request")["errors"]
        assert named["field"] == field
