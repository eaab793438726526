"""Requests as real programs were recorded to send them, and what those make of the answers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.compat.compreface.codes import NO_FACE_TEXT
from tests.compat.compreface.conftest import RECOGNITION, Program, part, photo, refused

_BOUNDARY = "14df484424584e6faf0b9e055149dac1"
_JSON = {"content-type": "application/json"}
_UNKNOWN = "unknown"
_PROBABLE = "&det_prob_threshold=0.8&prediction_count=1"


def _form(name: str, field: str = "file", *, type_of_part: str = "") -> bytes:
    """A form of one photo, as the Python SDK writes it: its part has no content type."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n'
    end = f"\r\n--{_BOUNDARY}--\r\n"
    return (head + type_of_part + "\r\n").encode() + photo(name) + end.encode()


def _upload(
    program: Program, url: str, name: str, *, chunked: bool = False, type_of_part: str = ""
) -> Response:
    body = _form(name, type_of_part=type_of_part)
    headers = {
        **program.headers,
        "content-type": f"multipart/form-data; boundary={_BOUNDARY}",
        "user-agent": "python-requests/2.34.2",
    }
    return program.client.post(url, content=_pieces(body) if chunked else body, headers=headers)


def _pieces(body: bytes) -> Iterator[bytes]:
    yield body[:1_000]
    yield body[1_000:]


@pytest.fixture
def enrolled(program: Program) -> Program:
    program.enrol("ada", "Ada Lovelace")
    return program


@pytest.mark.parametrize(
    "query",
    [
        "&limit=0&status=True",
        f"&limit=0{_PROBABLE}&face_plugins=calculator,age,gender,landmarks,mask&status=true",
        f"limit=0{_PROBABLE}&face_plugins=age,gender,landmarks&status=true",
        "limit=0&threshold=&prediction_count=1&face_plugins=&status=false&detect_faces=true",
        "face_plugins=undefined&det_prob_threshold=0.8",
        "face_plugins=landmarks,gender,age,calculator,mask",
        "det_prob_threshold=0.8?face_plugins=pose?status=true",
        "",
    ],
)
def test_every_recorded_query_recognises(enrolled: Program, query: str) -> None:
    answer = _upload(enrolled, f"{RECOGNITION}/recognize?{query}", "ada_again")

    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["result"]
    assert face["subjects"][0]["subject"] == "Ada Lovelace"
    assert "message" not in answer.json()


def test_the_options_behind_a_second_question_mark_count(enrolled: Program) -> None:
    url = f"{RECOGNITION}/recognize?det_prob_threshold=0.8?face_plugins=landmarks?status=true"

    (face,) = _upload(enrolled, url, "ada_again").json()["result"]

    assert {"landmarks", "execution_time"} <= set(face)


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ("subject=Ada%20Lovelace", "Ada Lovelace"),
        ("subject=Ada+Lovelace&threshold=", "Ada Lovelace"),
        ("subject=Ada%20Lovelace?det_prob_threshold=0.8", "Ada Lovelace"),
        ("subject=Zo%C3%AB%20&%20Bob+1&det_prob_threshold=0.8", "Zoë "),
        (
            f"subject=Ada&limit=0{_PROBABLE}&face_plugins=age&status=true",
            "Ada",
        ),
    ],
)
def test_every_recorded_query_adds_a_face(program: Program, query: str, subject: str) -> None:
    answer = _upload(program, f"{RECOGNITION}/faces?{query}", "ada")

    assert answer.status_code == 201, answer.text
    assert answer.json()["subject"] == subject
    assert program.subjects == [subject]


def test_a_photo_of_unknown_length_arrives_in_pieces(enrolled: Program) -> None:
    answer = _upload(
        enrolled,
        f"{RECOGNITION}/recognize?limit=0",
        "ada_again",
        chunked=True,
        type_of_part="Content-Type: image/jpeg\r\n",
    )

    assert answer.json()["result"][0]["subjects"][0]["subject"] == "Ada Lovelace"


def test_a_form_without_a_boundary_is_refused_and_no_defect(enrolled: Program) -> None:
    headers = {**enrolled.headers, "content-type": "multipart/form-data"}

    answer = enrolled.client.post(f"{RECOGNITION}/recognize", content=_form("ada"), headers=headers)

    assert "boundary" in refused(answer, 400, 36)


def test_reads_and_deletions_say_json_and_bring_no_body(enrolled: Program) -> None:
    enrolled.headers.update(_JSON)

    assert enrolled.ask("GET", f"{RECOGNITION}/subjects/") == {"subjects": ["Ada Lovelace"]}
    assert enrolled.ask("DELETE", f"{RECOGNITION}/subjects/Ada%20Lovelace") == {
        "subject": "Ada Lovelace"
    }
    assert enrolled.ask("DELETE", f"{RECOGNITION}/subjects") == {"deleted": 0}


def test_photos_to_compare_come_in_any_order(program: Program) -> None:
    files = part("ada", "target_image") | part("ada_again", "source_image")

    answer = program.ask(
        "POST",
        "/api/v1/verification/verify?&det_prob_threshold=0.8&limit=0&status=true",
        files=files,
    )

    (pair,) = answer["result"]
    assert pair["face_matches"][0]["similarity"] >= 0.5


def _double_take(body: dict[str, Any], least: float = 40) -> list[tuple[str, int]]:
    """Names and confidences as Double-Take's detector module reads them from an answer."""
    if body.get("code") == 28:
        return []
    if body.get("message"):
        raise RuntimeError(body["message"])
    found = []
    for face in body["result"]:
        face["box"]["x_min"], face["box"]["y_min"], face["box"]["x_max"], face["box"]["y_max"]
        subjects = face["subjects"]  # there must be a list
        name, similarity = _UNKNOWN, 0.0
        if subjects:
            name, similarity = subjects[0]["subject"].lower(), subjects[0]["similarity"]
        confidence = round(100 * similarity)
        found.append((name if confidence >= least else _UNKNOWN, confidence))
    return found


def test_double_take_trains_recognises_and_removes(program: Program) -> None:
    removed = program.send("DELETE", f"{RECOGNITION}/faces?subject=Ada+Lovelace")
    assert (removed.status_code, removed.json()) == (200, {"deleted": 0})
    trained = program.send("POST", f"{RECOGNITION}/faces?subject=Ada+Lovelace", files=part("ada"))
    assert trained.status_code == 201

    def recognise(name: str) -> list[tuple[str, int]]:
        url = f"{RECOGNITION}/recognize?face_plugins=undefined&det_prob_threshold=0.8"
        return _double_take(program.send("POST", url, files=part(name)).json())

    ((name, confidence),) = recognise("ada_again")
    assert name == "ada lovelace"
    assert confidence >= 60
    assert recognise("coffee") == []
    ((_, low),) = recognise("mona")
    assert low < 60
    failed = program.send("POST", f"{RECOGNITION}/faces?subject=X", files=part("group"))
    assert failed.status_code == 400
    assert failed.json()["message"]

    assert program.ask("DELETE", f"{RECOGNITION}/faces?subject=Ada+Lovelace") == {"deleted": 1}
    assert recognise("ada_again") == [(_UNKNOWN, 0)]
    with pytest.raises(RuntimeError):
        _double_take(program.send("POST", "/api/v1/recognition/unknown").json())


def test_viseron_takes_the_first_subject_unseen(program: Program) -> None:
    """It deletes before it trains, takes any `message` for a refused photo, and element 0."""
    program.ask("DELETE", f"{RECOGNITION}/faces?subject=Ada")
    added = _upload(program, f"{RECOGNITION}/faces?subject=Ada&det_prob_threshold=0.8", "ada")
    assert "message" not in added.json()

    for name, is_known in (("ada_again", True), ("mona", False)):
        url = (
            f"{RECOGNITION}/recognize?&limit=0&det_prob_threshold=0.8&face_plugins=age&status=True"
        )
        (face,) = _upload(program, url, name).json()["result"]
        first = face["subjects"][0]
        assert (first["similarity"] >= 0.5) is is_known


def test_home_assistant_compares_the_message_of_no_face(enrolled: Program) -> None:
    answer = _upload(enrolled, "/api/v1/detection/detect?&det_prob_threshold=0.8", "coffee")

    assert answer.json() == {"message": NO_FACE_TEXT, "code": 28}


def test_the_limits_of_clients_need_no_key(keyed: TestClient) -> None:
    config = keyed.get("/api/v1/config", headers={"x-api-key": ""})

    assert config.status_code == 200
    assert set(config.json()) == {"clientMaxFileSize", "clientMaxBodySize"}


def test_a_page_of_another_origin_may_rename_where_the_settings_name_it(
    with_settings: Callable[..., TestClient],
) -> None:
    asks = {
        "origin": "https://page.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type,x-api-key",
    }
    path = f"{RECOGNITION}/subjects/Ada"

    allowed = with_settings(cors_origins="https://page.example").options(path, headers=asks)
    elsewhere = with_settings(cors_origins="https://other.example").options(path, headers=asks)

    assert allowed.status_code in {200, 204}
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    refused(elsewhere, 400, 36)
