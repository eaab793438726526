"""The real application on a real port, served by a thread of the tests, and requests to its API."""

import socket
import ssl
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn
from PIL import Image

from app.api.edge.connection.http_protocol import LimitedHttp
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.kit.photos import encoded

OTHER_NAME = "vultus.test"
"""A name that browsers of the tests resolve to the server; without TLS, it gets no camera."""
_TIMEOUT_S = 60.0


class ConsoleServer:
    """A service of its own: `vultus serve` without its process, so that it starts in a second.

    `client` sends requests to its API, with the first key if there are any.
    """

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        chosen = Settings(data_dir=data_dir, device="cpu", **settings)
        self.services = build_services(chosen)
        config = uvicorn.Config(
            create_app(chosen, self.services),
            http=LimitedHttp,
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,  # pages of browsers keep connections
            ssl_certfile=chosen.tls.cert,
            ssl_keyfile=chosen.tls.key,
        )
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._scheme = "http" if chosen.tls.cert is None else "https"
        self.origin = f"{self._scheme}://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._listening],))
        self._thread.start()
        key = chosen.api_keys[0].get_secret_value() if chosen.api_keys else None
        self.client = httpx2.Client(
            base_url=self.origin,
            headers={"x-api-key": key} if key else {},
            timeout=_TIMEOUT_S,
            verify=ssl.create_default_context(cafile=chosen.tls.cert),
        )
        # The port listens already: the answer comes as soon as the service is ready.
        self.client.get("/readyz").raise_for_status()

    @property
    def url(self) -> str:
        """The address of the console."""
        return f"{self.origin}/console/"

    def at(self, path: str, *, collection: str | None = None, host: str = "127.0.0.1") -> str:
        """The address of a page, as `people?q=ada`; of a collection, where one is given."""
        route = path if collection is None else f"c/{collection}/{path}"
        return f"{self._scheme}://{host}:{self.port}/console/#/{route}"

    def new_collection(self, **options: Any) -> str:
        """Make an empty collection; return its name."""
        name = f"test-{uuid4().hex[:12]}"
        self.client.post("/v1/collections", json={"name": name, **options}).raise_for_status()
        return name

    def enroll(self, collection: str, *photos: Image.Image, **fields: Any) -> dict[str, Any]:
        """Enroll a person by photos; return the API's answer."""
        answer = self.client.post(
            f"/v1/collections/{collection}/identities",
            data=fields,
            files=[("images", (f"{n}.jpg", encoded(photo))) for n, photo in enumerate(photos)],
        )
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(_TIMEOUT_S)
        assert not self._thread.is_alive()
        self._listening.close()
