"""A server that answers as CompreFace 1.2 does, as far as an import asks it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

KEY = "8f2c1c52-1f5b-4d0c-8f0b-3f2f6f0d5a11"
_API = "/api/v1/recognition"


@dataclass(slots=True)
class FakeCompreFace:
    """`photos`: the bytes of each saved photo by subject and image id; empty where none is saved.

    `failures`: statuses that the next requests for photos are answered with. `asked`: the paths of
    all requests.
    """

    photos: dict[str, dict[str, bytes]]
    failures: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, target: str, key: str | None) -> tuple[int, bytes]:
        self.asked.append(target)
        parts = urlsplit(target)
        if key is None:
            return 400, _json(message="Missing header: x-api-key", code=20)
        if key != KEY:
            return 404, _json(message=f"Model with api key {key} not found", code=10)
        if parts.path == f"{_API}/subjects":
            return 200, _json(subjects=list(self.photos))
        if parts.path == f"{_API}/faces":
            return 200, self._faces(
                {name: int(own[0]) for name, own in parse_qs(parts.query).items()}
            )
        image_id = parts.path.removeprefix(f"{_API}/faces/").removesuffix("/img")
        if self.failures:
            return self.failures.pop(0), b"busy"
        return 200, next((own[image_id] for own in self.photos.values() if image_id in own), b"")

    def _faces(self, query: dict[str, int]) -> bytes:
        faces = [
            {"image_id": image_id, "subject": name}
            for name, own in self.photos.items()
            for image_id in own
        ]
        page, size = query["page"], query["size"]
        return _json(
            faces=faces[page * size : (page + 1) * size],
            page_number=page,
            page_size=size,
            total_pages=-(-len(faces) // size),
            total_elements=len(faces),
        )


def _json(**members: object) -> bytes:
    return json.dumps(members).encode()


@contextmanager
def serving(fake: FakeCompreFace) -> Iterator[FakeCompreFace]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = fake.answer(self.path, self.headers.get("x-api-key"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
