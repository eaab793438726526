"""CompreFace's real clients, and their recorded bytes, against a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from app.compat.compreface.codes import NO_FACE_TEXT, SEVERAL_FACES_TEXT
from tests.compat.compreface.conftest import photo
from tests.kit.clients import Call, needs_client, run_client
from tests.kit.raw_http import RawConnection
from tests.kit.server import ServerProcess, running

_NAMES = ("ada", "ada_again", "grace", "grace_again", "mona", "mona_again", "group", "coffee")
_NO_FACE = {"message": NO_FACE_TEXT, "code": 28}
_SEVERAL_FACES = {"message": SEVERAL_FACES_TEXT, "code": 31}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("server"), VULTUS_EXACT_SIMILARITIES="true") as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all photos as files."""
    made = tmp_path_factory.mktemp("photos")
    for name in _NAMES:
        (made / f"{name}.jpg").write_bytes(photo(name))
    with Image.open(made / "ada.jpg") as whole:
        whole.crop((170, 50, 290, 200)).save(made / "crop.jpg")
    return made


class Answers:
    """What a client's calls were answered, by their names."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = {call.name: call for call in calls}
        assert [call for call in calls if call.error is not None] == []

    def __getitem__(self, name: str) -> Any:
        return self._calls[name].answer

    def best(self, name: str, place: int = 0) -> tuple[str, bool]:
        """The first subject of a face, and whether it is recognised."""
        first = self[name]["result"][place]["subjects"][0]
        return first["subject"], first["similarity"] >= 0.5

    def faces(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self[name]["result"]
        return found

    def matches(self, name: str) -> list[bool]:
        """Of a comparison: whether each face of the target is alike."""
        (pair,) = self[name]["result"]
        return [match["similarity"] >= 0.5 for match in pair["face_matches"]]


def _run(program: str, server: ServerProcess, folder: Path, **given: Any) -> Answers:
    paths = {path.stem: str(path) for path in folder.iterdir() if path.suffix == ".jpg"}
    port = urlsplit(server.url).port
    return Answers(run_client(program, port=port, key="any", photos=paths, **given))


@needs_client("compreface-sdk")
def test_the_python_sdk_works_unchanged(server: ServerProcess, folder: Path) -> None:
    answers = _run("compreface_sdk", server, folder)

    assert answers["empty"] == {"subjects": []}
    assert answers["delete before"] == {"deleted": 0}
    assert answers["add subject"] == {"subject": "Ada Lovelace"}
    assert answers["add subject again"]["code"] == 43
    assert answers["enrol"]["subject"] == "Ada Lovelace"
    assert answers["enrol bytes"]["subject"] == "Zoë "
    assert answers["enrol nobody"] == _NO_FACE
    assert answers["enrol several"] == _SEVERAL_FACES
    assert [face["subject"] for face in answers["faces"]["faces"]] == [
        "Ada Lovelace",
        "Grace",
        "Zoë ",
    ]
    assert answers["subjects"] == {"subjects": ["Ada Lovelace", "Grace", "Zoë "]}

    assert answers.best("recognise") == ("Ada Lovelace", True)
    (face,) = answers.faces("recognise")
    assert set(face) == {"box", "subjects", "landmarks", "embedding", "execution_time"}
    assert answers.best("recognise other") == ("Grace", True)
    assert answers["rename"] == {"updated": True}
    assert answers["delete one"] == {"subject": "Mona"}
    assert answers.best("recognise stranger")[1] is False
    assert answers["recognise nobody"] == _NO_FACE
    several = [face["subjects"][0]["subject"] for face in answers.faces("recognise several")]
    assert sorted(several) == ["Ada Lovelace", "Grace"]

    assert [set(face) for face in answers.faces("detect")] == [{"box", "landmarks"}] * 2
    assert answers["detect nobody"] == _NO_FACE
    assert answers.matches("compare") == [True]
    assert sorted(answers.matches("compare others")) == [False, True]
    assert answers["compare several"] == _SEVERAL_FACES
    compared = answers.faces("compare with face")
    assert sorted(face["similarity"] >= 0.5 for face in compared) == [False, True]

    assert answers["merge"] == {"updated": True}
    assert answers["subjects merged"] == {"subjects": ["Ada Lovelace"]}
    assert answers["delete face"]["subject"] == "Ada Lovelace"
    assert answers["delete face again"]["code"] == 44
    assert answers["delete faces"] == {"deleted": 1}
    assert answers.faces("recognise without")[0]["subjects"] == []
    assert answers["delete all"] == {"deleted": 0}


@needs_client("compreface-sdk-python")
def test_the_python_client_of_others_works_unchanged(server: ServerProcess, folder: Path) -> None:
    answers = _run("compreface_sdk_python", server, folder, saved=str(folder.parent / "saved.jpg"))

    ada, grace = answers["enrol"]["image_id"], answers["enrol base64"]["image_id"]
    assert answers["subjects"] == {"subjects": ["Ada Lovelace", "Grace"]}
    assert answers["first page"]["faces"] == [{"image_id": ada, "subject": "Ada Lovelace"}]
    assert answers["first page"]["total_pages"] == 2
    assert answers["last page"]["faces"] == [{"image_id": grace, "subject": "Grace"}]
    assert answers["page of one"]["total_elements"] == 1
    assert answers["page of none"]["faces"] == []

    assert answers.best("recognise") == ("Ada Lovelace", True)
    assert answers["recognise"]["plugins_versions"]
    assert answers.best("recognise base64") == ("Grace", True)
    assert answers.faces("recognise whole")[0]["box"]["probability"] == 1
    assert answers.best("recognise stranger")[1] is False
    assert answers["recognise nobody"] == _NO_FACE
    assert [set(face) for face in answers.faces("detect")] == [{"box", "landmarks", "pose"}]
    assert len(answers.faces("detect base64")) == 1
    assert answers.matches("compare") == [True]
    assert answers.matches("compare base64") == [False]
    (face,) = answers.faces("compare with face")
    assert (face["subject"], face["similarity"] >= 0.5) == ("Ada Lovelace", True)
    (face,) = answers.faces("compare with no face")
    assert (face["subject"], face["similarity"]) == ("", 0)
    assert answers["size"] == 0  # photos are not kept

    assert answers["rename"] == {"updated": True}
    assert {one["image_id"] for one in answers["delete many"]} == {ada, grace}
    assert answers["delete face"]["code"] == 44
    assert answers["delete subject"] == {"subject": "Grace Hopper"}
    assert answers["delete of subject"] == {"deleted": 0}
    assert answers["subjects left"] == {"subjects": []}
    assert answers.faces("recognise without")[0]["subjects"] == []
    assert answers["delete all"] == {"deleted": 0}


@needs_client("@exadel/compreface-js-sdk")
def test_the_javascript_sdk_works_unchanged(server: ServerProcess, folder: Path) -> None:
    with _published(folder) as url:
        links = {name: f"{url}/{name}.jpg" for name in ("mona", "mona_again")}
        answers = _run("compreface_js.mjs", server, folder, links=links)

    ada = answers["enrol"]["image_id"]
    assert answers["enrol"]["subject"] == "Ada Lovelace"
    assert answers["enrol base64"]["subject"] == "Grace"
    assert answers["enrol nobody"] == {"status": 400, **_NO_FACE}
    assert answers["faces"]["total_elements"] == 3
    assert sorted(answers["subjects"]["subjects"]) == ["Ada Lovelace", "Grace", "Mona"]

    assert answers.best("recognise") == ("Ada Lovelace", True)
    assert set(answers.faces("recognise")[0]) == {"box", "subjects", "landmarks", "execution_time"}
    assert answers.best("recognise base64") == ("Grace", True)
    assert answers.best("recognise link") == ("Mona", True)
    assert answers["recognise nobody"] == {"status": 400, **_NO_FACE}
    assert answers["recognise buffer"]["status"] == 400
    assert answers["recognise path as text"]["status"] == 400

    assert [set(face) for face in answers.faces("detect")] == [
        {"box", "pose", "execution_time"}
    ] * 2
    assert len(answers.faces("detect base64")) == 1
    assert answers.matches("compare") == [True]
    assert answers.matches("compare link") == [False]
    assert answers.matches("compare base64") == [False]
    (face,) = answers.faces("compare with face")
    assert (face["subject"], face["similarity"] >= 0.5) == ("Ada Lovelace", True)

    assert answers["rename"] == {"updated": True}
    assert answers["merge"] == {"updated": True}
    assert answers["delete subject"] == {"subject": "Grace"}
    assert answers["delete many"] == [{"image_id": ada, "subject": "Ada Lovelace"}]
    assert answers["delete face"]["status"] == 404
    assert answers["delete of subject"] == {"deleted": 0}
    assert answers["delete faces"] == {"deleted": 0}
    assert answers.faces("recognise without")[0]["subjects"] == []
    assert answers["delete all"] == {"deleted": 0}


def test_the_recorded_bytes_of_the_python_sdk_are_read(server: ServerProcess) -> None:
    """To the letter: a leading `&`, `True`, and a part without a content type."""
    boundary = "14df484424584e6faf0b9e055149dac1"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="tiny.jpg"\r\n\r\n'
    ).encode() + photo("coffee")
    body += f"\r\n--{boundary}--\r\n".encode()
    head = (
        "POST /api/v1/recognition/recognize?&limit=0&status=True HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\nUser-Agent: python-requests/2.34.2\r\n"
        "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        f"x-api-key: k-1\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    status, _, answer = _exchange(server, head.encode() + body)

    assert (status, answer) == (400, _NO_FACE)


def test_bytes_beyond_ascii_in_a_url_are_refused_in_the_words_of_this_api(
    server: ServerProcess,
) -> None:
    """The JavaScript SDK does not escape names."""
    head = "DELETE /api/v1/recognition/faces?subject=Zoë HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    status, headers, answer = _exchange(server, head.encode())

    assert status == 400
    assert headers["content-type"] == "application/json"
    assert set(answer) == {"message", "code"}


def _exchange(server: ServerProcess, sent: bytes) -> tuple[int, dict[str, str], Any]:
    port = urlsplit(server.url).port
    assert port is not None
    with RawConnection("127.0.0.1", port) as connection:
        connection.socket.sendall(sent)
        return connection.answer()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _published(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, for a client that loads photos itself."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        thread = Thread(target=files.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{files.server_port}"
        finally:
            files.shutdown()
            thread.join()
