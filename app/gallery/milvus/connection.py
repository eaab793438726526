"""The connection to a Milvus.

The only file that imports pymilvus, which is optional: import this package only where Milvus is
wanted. Raises StartupError on import when pymilvus is missing.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog

from app.errors import IndexUnavailable, StartupError
from app.gallery.milvus.circuit import Circuit


@contextmanager
def _without_dotenv() -> Iterator[None]:
    """pymilvus loads the nearest .env file above its own folder into the environment, which may be
    another one than the service was started with."""
    name = "PYTHON_DOTENV_DISABLED"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


try:
    with _without_dotenv():
        import grpc
        from pymilvus import DataType, MilvusClient, MilvusException
        from pymilvus.exceptions import ConnectionConfigException, ErrorCode
except ModuleNotFoundError as missing:
    raise StartupError(
        "VULTUS_INDEX__MILVUS_URI is set, but the client of Milvus is not installed; run: "
        "pip install 'vultus[milvus]'"
    ) from missing

# It prints a traceback for every call that fails; what fails is raised, and logged once here.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

_CONNECT_S = 3.0
READ_S = 5.0
WRITE_S = 10.0
CREATE_S = 30.0

_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 100}
"""The pauses between attempts are ours; gRPC's own grow to two minutes in a long outage."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class MilvusCollectionMissing(IndexUnavailable):
    """Milvus answers, and does not have the collection: it, or its volume, was dropped."""


class Milvus:
    """A Milvus server, standalone, cluster or Zilliz; or Milvus Lite, in a file ending in .db.

    Connects when it is first asked. Every call ends in time and raises IndexUnavailable when it is
    not answered; for a second after that, all others fail at once. Raises StartupError when the URI
    means nothing.
    """

    def __init__(
        self, uri: str, *, token: str = "", clock: Callable[[], float] = monotonic
    ) -> None:
        self._uri = uri
        self._token = token
        self._circuit = Circuit(clock=clock)
        self._client: Any = None
        self._lock = Lock()
        self._lite: bool | None = None

    @property
    def address(self) -> str:
        """Identifies a Milvus server; without the password that the URI may have."""
        parts = urlsplit(self._uri)
        if parts.hostname is None:
            return os.path.abspath(self._uri)  # noqa: PTH100  (does not touch the file)
        return f"{parts.hostname}:{parts.port or ''}{parts.path.rstrip('/')}"

    def require(self) -> None:
        """Raises IndexUnavailable when it has just failed to answer. Asks nothing."""
        if self._circuit.is_open():
            raise unavailable()

    def names(self) -> list[str]:
        """Return the names of all its collections, ours and others'."""
        return list(self.ask(lambda client: client.list_collections(timeout=READ_S)))

    def description(self, name: str) -> str:
        described = self.ask(lambda client: client.describe_collection(name, timeout=READ_S))
        return str(described.get("description", ""))

    def create(self, name: str, dimension: int, description: str) -> None:
        """Make a collection, ready to be searched; nothing happens when it is there."""
        schema = MilvusClient.create_schema(
            auto_id=False, enable_dynamic_field=False, description=description
        )
        # No field for the identity: filters are answered in SQL, which names the faces. Whom a face
        # belongs to is not in the log of changes, and would have to be read for every addition.
        schema.add_field("number", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        indexes = MilvusClient.prepare_index_params()
        # Lite compares with all vectors; a standalone server or cluster builds what its
        # configuration has (a graph, HNSW, unless changed), and Zilliz an index of its own.
        indexes.add_index("vector", index_type="AUTOINDEX", metric_type="IP")

        def make(client: Any) -> None:  # noqa: ANN401
            client.create_collection(
                name,
                schema=schema,
                # Else a search may pass over what was acknowledged a moment before.
                consistency_level="Strong",
                timeout=CREATE_S,
            )
            # Not waited for: there is nothing in it yet, and pymilvus looks twice a second only.
            client.create_index(name, indexes, timeout=CREATE_S, sync=False)
            client.load_collection(name, timeout=CREATE_S)

        self.ask(make)

    def is_lite(self) -> bool:
        """Whether it is Milvus Lite, the only one that does not answer its version."""
        if self._lite is None:
            self._lite = self.ask(_tells_no_version)
        return self._lite

    def ask(self, question: Callable[[Any], T]) -> T:
        if not self._circuit.lets_through():
            raise unavailable()
        try:
            answer = question(self._connected())
        except ConnectionConfigException as error:
            raise StartupError(
                f"VULTUS_INDEX__MILVUS_URI cannot be used ({error.message}); expected "
                "http://host:19530, https:// for Zilliz, or a file ending in .db"
            ) from error
        # ValueError: another thread, for which it failed as well, has just closed the connection.
        except (MilvusException, grpc.RpcError, ValueError) as error:
            code = _code(error)
            if code in (ErrorCode.COLLECTION_NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED):
                self._note_answer()
            if code == ErrorCode.COLLECTION_NOT_FOUND:
                raise MilvusCollectionMissing(
                    "the index is not in Milvus any more and is built anew"
                ) from error
            if code == grpc.StatusCode.UNIMPLEMENTED:
                raise IndexUnavailable("this version of Milvus is too old") from error
            if self._circuit.failed():
                _log.error("milvus_away", cause=str(error))
            raise unavailable() from error
        self._note_answer()
        return answer

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Any:  # noqa: ANN401  (pymilvus has no types)
        with self._lock:
            if self._client is None:
                # Dedicated: clients share a connection else, and closing one leaves it open.
                self._client = MilvusClient(
                    self._uri,
                    token=self._token,
                    timeout=_CONNECT_S,
                    dedicated=True,
                    grpc_options=_RECONNECT,
                )
            return self._client

    def _note_answer(self) -> None:
        if self._circuit.succeeded():
            _log.info("milvus_back")


def _tells_no_version(client: Any) -> bool:  # noqa: ANN401
    try:
        client.get_server_version(timeout=READ_S)
    except (MilvusException, grpc.RpcError) as error:
        if _code(error) == grpc.StatusCode.UNIMPLEMENTED:
            return True
        raise
    return False


def _code(error: Exception) -> object:
    """What went wrong: an ErrorCode, a grpc.StatusCode, or None."""
    code = getattr(error, "code", None)
    return code() if callable(code) else code


def unavailable() -> IndexUnavailable:
    return IndexUnavailable("the index (Milvus) does not answer")
