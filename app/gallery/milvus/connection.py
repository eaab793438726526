"""The connection to a Milvus.

The only file that imports pymilvus, which is optional: import this package only where Milvus is
wanted. Raises StartupError on import when pymilvus is missing.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog

from app.errors import IndexUnavailable, IndexUnsupported, StartupError
from app.gallery.milvus.circuit import Circuit
from app.gallery.milvus.index_types import INDEX_TYPES, IndexName
from app.gallery.milvus.server_version import why_unsupported


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
_LOOK_S = 2.0
"""For what is asked beside the question, so that its caller waits little longer."""
READ_S = 5.0
WRITE_S = 10.0
CREATE_S = 30.0

_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 100}
"""The pauses between attempts are ours; gRPC's own grow to two minutes in a long outage."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


_NOT_LOADED = 101
"""Not among the client's own codes: the collection is there, and not in memory."""
_NOT_CONNECTED = 2
_LOAD_AGAIN_S = 1.0


class MilvusCollectionMissing(IndexUnavailable):
    """Milvus answers, and does not have the collection: it, or its volume, was dropped.

    Or what has its name is not what was made: it has other fields, or lost its rows.
    """


@dataclass(frozen=True, slots=True)
class Made:
    """A collection as it was made; `dimension` is that of its vectors."""

    name: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Which collection Milvus has under a name, and after how many outages.

    One that was dropped and made again has another number. An outage may be a return to a backup.
    """

    number: object
    outages: int


class Milvus:
    """A Milvus server, standalone, cluster or Zilliz; or Milvus Lite, in a file ending in .db.

    Connects when it is first asked. Every call ends in time and raises IndexUnavailable when it is
    not answered; for a second after that, all others fail at once. Raises StartupError when the URI
    means nothing.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str = "",
        index: IndexName = "flat",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._uri = uri
        self.index_type = INDEX_TYPES[index]
        """That of collections that are made from now on."""
        self._token = token
        self._circuit = Circuit(clock=clock)
        self._client: Any = None
        self._lock = Lock()
        self._lite: bool | None = None
        self._outages = 0
        self._version_seen_at = -1
        """The number of outages before the version was last seen: another server may have come."""
        self._loaded_at: dict[str, float] = {}

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

    def see(self, made: Made) -> Seen:
        """Look at a collection. Raises MilvusCollectionMissing unless it is as it was made."""
        described = self.ask(
            lambda client: client.describe_collection(made.name, timeout=READ_S), of=made
        )
        if not _is_as_made(described, made):
            raise _changed()
        return Seen(described.get("collection_id"), self._outages)

    def create(self, name: str, dimension: int, description: str) -> None:
        """Make a collection, ready to be searched; nothing happens when it is there."""
        schema = MilvusClient.create_schema(
            auto_id=False, enable_dynamic_field=False, description=description
        )
        # No field for the identity: filters are answered in SQL, which names the faces. Whom a face
        # belongs to is not in the log of changes, and would have to be read for every addition.
        schema.add_field("number", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        chosen = INDEX_TYPES["auto"] if self.is_lite() else self.index_type
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index(
            "vector", index_type=chosen.type, metric_type="IP", params=dict(chosen.parameters)
        )

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

    def timestamp(self) -> int | None:
        """Return a moment of its clock after everything that it has taken until now.

        None of one that does not say it, as Milvus Lite does not; such a one always answers with
        all that it was given before it was asked, which takes a server up to two time ticks.
        """
        return self.ask(_clock)

    def is_lite(self) -> bool:
        """Whether it is Milvus Lite, the only one that does not answer its version."""
        if self._lite is None:
            self._lite = self.ask(lambda client: _version(client) is None)
        return self._lite

    def ask(self, question: Callable[[Any], T], *, of: Made | None = None) -> T:
        """Ask something, of a collection if it is one. Raises IndexUnavailable.

        Raises IndexUnsupported for a version that is not supported, and MilvusCollectionMissing.
        """
        if not self._circuit.lets_through():
            raise unavailable()
        try:
            client = self._connected()
            self._require_version(client)
            answer = question(client)
        except ConnectionConfigException as error:
            raise StartupError(
                f"VULTUS_INDEX__MILVUS_URI cannot be used ({error.message}); expected "
                "http://host:19530, https:// for Zilliz, or a file ending in .db"
            ) from error
        # ValueError: another thread, for which it failed as well, has just closed the connection.
        except (MilvusException, grpc.RpcError, ValueError) as error:
            raise self._problem(error, of) from error
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

    def _require_version(self, client: Any) -> None:  # noqa: ANN401
        outages = self._outages
        if self._version_seen_at == outages:
            return
        version = _version(client)
        problem = None if version is None else why_unsupported(version)
        if problem is not None:
            self._note_answer()
            raise IndexUnsupported(problem)
        self._version_seen_at = outages

    def _problem(self, error: Exception, of: Made | None) -> IndexUnavailable:
        """Return what is wrong, after a question that failed."""
        code = _code(error)
        if code == ErrorCode.COLLECTION_NOT_FOUND:
            self._note_answer()
            return MilvusCollectionMissing("the index is not in Milvus any more and is built anew")
        if code == grpc.StatusCode.UNIMPLEMENTED:
            self._note_answer()
            return IndexUnsupported("this version of Milvus is too old")
        if code == _NOT_LOADED and of is not None:
            self._note_answer()
            return self._load(of.name)
        refused = isinstance(error, MilvusException) and code != _NOT_CONNECTED
        if refused and of is not None and self._was_changed(of):
            self._note_answer()
            return _changed()
        if self._circuit.failed():
            self._outages += 1
            _log.error("milvus_away", cause=str(error))
        if refused:
            return IndexUnavailable("the index (Milvus) does not do what it is asked; see the log")
        return unavailable()

    def _load(self, name: str) -> IndexUnavailable:
        """Have a collection loaded: Milvus does so after its start, but not what was released."""
        now = monotonic()
        if now - self._loaded_at.get(name, -_LOAD_AGAIN_S) >= _LOAD_AGAIN_S:
            self._loaded_at[name] = now
            try:
                self._connected().load_collection(name, timeout=_LOOK_S, _async=True)
            except MilvusException as error:
                if _code(error) == ErrorCode.INDEX_NOT_FOUND:
                    return _changed()
                _log.warning("milvus_not_loaded", name=name, cause=str(error))
            except (grpc.RpcError, ValueError) as error:
                _log.warning("milvus_not_loaded", name=name, cause=str(error))
        return IndexUnavailable("Milvus is loading the index; try again in a moment")

    def _was_changed(self, made: Made) -> bool:
        try:
            described = self._connected().describe_collection(made.name, timeout=_LOOK_S)
        except (MilvusException, grpc.RpcError, ValueError):
            return False
        return not _is_as_made(described, made)


def _clock(client: Any) -> int | None:  # noqa: ANN401
    # Of the results of changes, a server of 2.3 leaves out a deletion's timestamp, and pymilvus
    # all others. It returns 0 for a server that has no such call.
    return client._get_connection().alloc_timestamp(timeout=READ_S) or None  # noqa: SLF001


def _version(client: Any) -> str | None:  # noqa: ANN401
    """Return the version of the server; None for Milvus Lite, which does not answer it."""
    try:
        return str(client.get_server_version(timeout=READ_S))
    except (MilvusException, grpc.RpcError) as error:
        if _code(error) == grpc.StatusCode.UNIMPLEMENTED:
            return None
        raise


def _is_as_made(described: Mapping[str, Any], made: Made) -> bool:
    """Whether a collection has the fields that `Milvus.create` gives it."""
    fields = {field["name"]: field for field in described.get("fields", ())}
    number, vector = fields.get("number"), fields.get("vector")
    return (
        number is not None
        and vector is not None
        and number["type"] == DataType.INT64
        and bool(number.get("is_primary"))
        and vector["type"] == DataType.FLOAT_VECTOR
        and int(vector["params"]["dim"]) == made.dimension
    )


def _changed() -> MilvusCollectionMissing:
    return MilvusCollectionMissing(
        "the index in Milvus is not as it was made any more and is built anew"
    )


def _code(error: Exception) -> object:
    """What went wrong: an ErrorCode, a grpc.StatusCode, or None."""
    code = getattr(error, "code", None)
    return code() if callable(code) else code


def unavailable() -> IndexUnavailable:
    return IndexUnavailable("the index (Milvus) does not answer")
