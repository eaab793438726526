"""A service with keys, and programs that speak CompreFace to it."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

import app.demo
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.kit import photos
from tests.kit.api_keys import new_key

RECOGNITION = "/api/v1/recognition"
_DEMO = Path(app.demo.__file__).parent / "photos"


@cache
def photo(name: str) -> bytes:
    """The file of a photo: ada, ada_again, grace, grace_again, mona, group (ada and grace), coffee
    (nobody)."""
    if name in {"mona", "mona_again"}:
        return (_DEMO / f"{name.replace('mona', 'mona_lisa')}.jpg").read_bytes()
    made = {
        "ada": photos.astronaut,
        "ada_again": lambda: photos.another_photo(photos.astronaut()),
        "grace": photos.hopper,
        "grace_again": lambda: photos.another_photo(photos.hopper()),
        "group": photos.group,
        "coffee": photos.coffee,
    }[name]()
    return photos.encoded(made)


def part(name: str, field: str = "file") -> dict[str, tuple[str, bytes]]:
    """A photo as clients send it."""
    return {field: (f"{name}.jpg", photo(name))}


@dataclass(frozen=True)
class Program:
    """A program with a key that is bound to a collection."""

    client: TestClient
    collection: str
    headers: dict[str, str]

    def send(self, method: str, path: str, **request: Any) -> Response:
        return self.client.request(method, path, headers=self.headers, **request)

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer, which must not be an error."""
        answer = self.send(method, path, **request)
        assert answer.status_code in {200, 201}, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def enrol(self, name: str, subject: str) -> str:
        """Add an example, and return its id."""
        made = self.ask(
            "POST", f"{RECOGNITION}/faces", params={"subject": subject}, files=part(name)
        )
        assert made["subject"] == subject
        image_id: str = made["image_id"]
        return image_id

    def recognise(self, name: str, **options: object) -> list[dict[str, Any]]:
        """The faces of a photo."""
        path = f"{RECOGNITION}/recognize"
        result: list[dict[str, Any]] = self.ask("POST", path, params=options, files=part(name))[
            "result"
        ]
        return result

    @property
    def subjects(self) -> list[str]:
        found: list[str] = self.ask("GET", f"{RECOGNITION}/subjects")["subjects"]
        return found


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that wants a key; the client sends that of an admin."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("compat"),
        device="cpu",
        api_keys="admin",
        crops_key=b64encode(bytes(32)).decode(),
    )
    app = create_app(settings, build_services(settings))
    with TestClient(app, headers={"x-api-key": "admin"}) as started:
        yield started


@pytest.fixture
def program_of(keyed: TestClient) -> Callable[..., Program]:
    """Make a program whose key has a role in a collection, by default in a new one."""

    def make(role: str = "integrator", collection: str | None = None) -> Program:
        name = collection or f"door-{uuid4().hex[:12]}"
        if collection is None:
            assert keyed.post("/v1/collections", json={"name": name}).status_code == 201
        _, header = new_key(keyed, role=role, collections=[name])
        return Program(keyed, name, header)

    return make


@pytest.fixture
def program(program_of: Callable[..., Program]) -> Program:
    """A program that may do everything in an empty collection."""
    return program_of()


def refused(answer: Response, status: int, code: int) -> str:
    """The message of an error, after a look at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"message", "code"}
    assert body["code"] == code, body
    message: str = body["message"]
    return message
