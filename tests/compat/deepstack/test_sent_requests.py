"""Requests to the letter that real clients send, without the clients."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import photo
from tests.compat.deepstack.conftest import Speaker
from tests.compat.deepstack.sent_forms import Form, FormPart, by_node, by_requests, text

_URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def open_service(client: TestClient) -> Iterator[Speaker]:
    """Nobody is registered in the collection of a service without keys, before and after."""
    speaker = Speaker(client)
    _delete_all(speaker)
    yield speaker
    _delete_all(speaker)


def _delete_all(speaker: Speaker) -> None:
    for userid in speaker.listed():
        speaker.post("/delete", userid=userid)


def _photo(name: str, part: str = "image", **fields: str) -> FormPart:
    return FormPart(part, photo(name), fields.get("file", "image"), fields.get("media_type"))


def _jpeg(name: str, part: str = "image") -> FormPart:
    return FormPart(part, photo(name), "b3b7.jpg", "image/jpeg")


_REGISTRATIONS: dict[str, Form] = {
    "deepstack-python": by_requests(
        text("userid", "Ada Lovelace"),
        text("api_key", ""),
        text("min_confidence", "0.45"),
        _photo("astronaut"),
    ),
    "codeproject-ai-api": by_requests(
        text("userid", "Ada Lovelace"), text("min_confidence", "0.45"), _photo("astronaut")
    ),
    "deepstack-sdk": by_requests(
        text("api_key", "k-1"),
        text("userid", "Ada Lovelace"),
        *(
            _photo(name, f"image{uuid}", file=f"image{uuid}")
            for name, uuid in (
                ("astronaut", "0a6b5c2e-4f0f-4c57-9d2d-7d2ff0a1a5b1"),
                ("astronaut_again", "f2b8a4de-1f5c-4f38-a5a0-6f1c1a3c9e77"),
            )
        ),
    ),
    "Double-Take": by_node(_jpeg("astronaut"), text("userid", "Ada Lovelace")),
    "Node-RED": by_node(
        _photo("astronaut", "image0", file="image0"),
        _photo("astronaut_again", "image1", file="image1"),
        text("userid", "Ada Lovelace"),
        text("api_key", ""),
        text("admin_key", ""),
    ),
    "deepstack-trainer": by_requests(text("userid", "Ada Lovelace"), _photo("astronaut", "image1")),
}
_RECOGNITIONS: dict[str, Form] = {
    "deepstack-python": by_requests(
        text("api_key", ""), text("min_confidence", "0.45"), _photo("astronaut_again")
    ),
    "codeproject-ai-api": by_requests(text("min_confidence", "0.6"), _photo("astronaut_again")),
    "Double-Take": by_node(_jpeg("astronaut_again")),
    "Node-RED": by_node(
        _photo("astronaut_again", file="image.jpg"),
        text("min_confidence", "0.4"),
        text("api_key", ""),
        text("admin_key", ""),
    ),
    "Shinobi": by_node(_jpeg("astronaut_again")),
}


@pytest.mark.parametrize("program", _REGISTRATIONS)
def test_registration(open_service: Speaker, program: str) -> None:
    form = _REGISTRATIONS[program]
    answer = _send(open_service, "/register", form)
    assert answer["message"] == "face added"
    assert open_service.listed() == ["Ada Lovelace"]


@pytest.mark.parametrize("program", _RECOGNITIONS)
def test_recognition(open_service: Speaker, program: str) -> None:
    open_service.register("Ada", "astronaut")
    answer = _send(open_service, "/recognize", _RECOGNITIONS[program])
    assert [face["userid"] for face in answer["predictions"]] == ["Ada"]


@pytest.mark.parametrize("program", ["deepstack-python", "codeproject-ai-api"])
def test_detection(open_service: Speaker, program: str) -> None:
    """Viseron registers photos with exactly one prediction."""
    answer = _send(open_service, "", _RECOGNITIONS[program])
    assert len(answer["predictions"]) == 1
    assert "userid" not in answer["predictions"][0]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (_URLENCODED, b"api_key=k-1"),
        (_URLENCODED, b"api_key="),
        ({}, b""),
        ({"content-type": "multipart/form-data"}, b""),
        ({"content-type": "multipart/form-data; boundary=x"}, b""),
        (by_node().headers, by_node().body),
        ({"content-type": "application/json"}, b""),
    ],
    ids=["key", "empty key", "no body", "no form", "empty form", "no parts", "no JSON"],
)
def test_list(open_service: Speaker, headers: dict[str, str], body: bytes) -> None:
    open_service.register("Ada", "astronaut")
    for slash in ("", "/"):
        path = f"/v1/vision/face/list{slash}"
        answer = open_service.client.post(path, headers=headers, content=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        assert answer.json()["faces"] == ["Ada"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (_URLENCODED, b"userid=Ada+Lovelace"),
        (_URLENCODED, b"api_key=k-1&userid=Ada%20Lovelace"),
        (_URLENCODED, b"userId=Ada+Lovelace"),
        (by_node().headers, by_node(text("userid", "Ada Lovelace")).body),
        (by_requests().headers, by_requests(text("userId", "Ada Lovelace")).body),
    ],
    ids=["Viseron", "deepstack-sdk", "CodeProject.AI", "Double-Take", "multipart userId"],
)
def test_deletion(open_service: Speaker, headers: dict[str, str], body: bytes) -> None:
    open_service.register("Ada Lovelace", "astronaut")
    path = "/v1/vision/face/delete"
    for _ in range(2):  # Viseron deletes before each training, whether there is somebody or not
        answer = open_service.client.post(path, headers=headers, content=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
    assert open_service.listed() == []


def test_shinobi_finds_out_that_faces_are_recognised(open_service: Speaker) -> None:
    """It sends an empty form at its start, and reads the end of `error`."""
    form = by_node()
    answer = open_service.client.post(
        "/v1/vision/face/recognize", headers=form.headers, content=form.body
    )
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert not answer.json()["error"].endswith("endpoint not activated")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["", "/recognize", "/register", "/match"])
def test_slash_at_the_end_is_no_redirect(open_service: Speaker, path: str, slash: str) -> None:
    answer = open_service.post(f"{path}{slash}")
    assert answer.status_code == 400
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    "parts",
    [
        [text(f"field{number}", "x") for number in range(200)],
        [FormPart(f"image{number}", b"x", "image") for number in range(200)],
    ],
    ids=["fields", "files"],
)
def test_too_many_parts_are_refused(open_service: Speaker, parts: Sequence[FormPart]) -> None:
    form = by_requests(*parts)
    answer = open_service.client.post(
        "/v1/vision/face/recognize", headers=form.headers, content=form.body
    )
    assert answer.status_code == 400
    assert answer.json()["success"] is False


def _send(speaker: Speaker, path: str, form: Form) -> dict[str, Any]:
    answer = speaker.client.post(f"/v1/vision/face{path}", headers=form.headers, content=form.body)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    assert read["success"] is True
    return read
