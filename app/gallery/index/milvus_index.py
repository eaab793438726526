"""Milvus as an index, for galleries that have outgrown one machine.

The only file that imports pymilvus, which is optional: import this one only where Milvus is wanted.
Raises StartupError on import when the package is missing.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
import structlog

from app.errors import IndexUnavailable, StartupError
from app.gallery.index.circuit import Circuit
from app.gallery.index.protocol import FaceNumbers, Hits, Vectors
from app.gallery.index.rotation import Rotation


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
_READ_S = 5.0
_WRITE_S = 10.0
_CREATE_S = 30.0

_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 100}
"""The pauses between attempts are ours; gRPC's own grow to two minutes in a long outage."""

_MOST_HITS = 16_384
"""More than so many Milvus does not answer at once."""
_ROWS_AT_ONCE = 2_000
"""512 numbers each make 4 MB; Milvus takes messages of up to 64 MB."""
_NUMBERS_AT_ONCE = 4_096
_LOOK_AGAIN_S = 0.001

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
            raise _unavailable()

    def names(self) -> list[str]:
        """Return the names of all its collections, ours and others'."""
        return list(self.ask(lambda client: client.list_collections(timeout=_READ_S)))

    def description(self, name: str) -> str:
        described = self.ask(lambda client: client.describe_collection(name, timeout=_READ_S))
        return str(described.get("description", ""))

    def is_lite(self) -> bool:
        """Whether it is Milvus Lite, the only one that does not answer its version."""
        if self._lite is None:
            self._lite = self.ask(_tells_no_version)
        return self._lite

    def ask(self, question: Callable[[Any], T]) -> T:
        if not self._circuit.lets_through():
            raise _unavailable()
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
            raise _unavailable() from error
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


class MilvusIndex:
    """The faces of one collection and embedder in a Milvus collection `name`.

    Adding is idempotent. A change is seen by every search that begins after it returned, whichever
    process made it. Methods raise IndexUnavailable; MilvusCollectionMissing before `create`.
    """

    def __init__(
        self, milvus: Milvus, name: str, dimension: int, rotation: Rotation | None = None
    ) -> None:
        """`rotation` turns vectors on their way to Milvus, and probes alike."""
        self._milvus = milvus
        self._rotation = rotation
        self.name = name
        self._dimension = dimension
        self._counted: tuple[object, int] | None = None

    def __len__(self) -> int:
        rows = self._milvus.ask(
            lambda client: client.query(
                self.name, filter="", output_fields=["count(*)"], timeout=_READ_S
            )
        )
        return int(rows[0]["count(*)"])

    def length_at(self, state: object) -> int:
        """Return the length, counted once for each state: counting takes as long as a search."""
        counted = self._counted
        if counted is None or counted[0] != state:
            counted = self._counted = (state, len(self))
        return counted[1]

    def create(self, description: str) -> None:
        """Make the Milvus collection, ready to be searched; nothing happens when it is there."""
        schema = MilvusClient.create_schema(
            auto_id=False, enable_dynamic_field=False, description=description
        )
        # No field for the identity: filters are answered in SQL, which names the faces. Whom a face
        # belongs to is not in the log of changes, and would have to be read for every addition.
        schema.add_field("number", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        indexes = MilvusClient.prepare_index_params()
        # Lite compares with all vectors; a standalone server or cluster builds what its
        # configuration has (a graph, HNSW, unless changed), and Zilliz an index of its own.
        indexes.add_index("vector", index_type="AUTOINDEX", metric_type="IP")

        def make(client: Any) -> None:  # noqa: ANN401
            client.create_collection(
                self.name,
                schema=schema,
                # Else a search may pass over what was acknowledged a moment before.
                consistency_level="Strong",
                timeout=_CREATE_S,
            )
            # Not waited for: there is nothing in it yet, and pymilvus looks twice a second only.
            client.create_index(self.name, indexes, timeout=_CREATE_S, sync=False)
            client.load_collection(self.name, timeout=_CREATE_S)

        self._milvus.ask(make)

    def drop(self) -> None:
        """Remove the Milvus collection; nothing happens when there is none."""
        self._milvus.ask(lambda client: client.drop_collection(self.name, timeout=_CREATE_S))

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        if self._rotation is not None:
            vectors = self._rotation.turn(vectors)
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            rows = [
                {"number": number, "vector": vector}
                for number, vector in zip(numbers[some].tolist(), vectors[some], strict=True)
            ]
            self._upsert(rows)

    def remove(self, numbers: FaceNumbers) -> None:
        for some in _pieces(numbers):
            self._delete(some.tolist())

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        if count <= _MOST_HITS:
            return self._nearest(probes, count, "")
        return [self._many_near(probe, count) for probe in probes]

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        # Asked for as many as there can be, an index that is approximate elsewhere has nothing to
        # leave out.
        parts = [
            self._nearest(probes, len(some), f"number in {some.tolist()}")
            for some in _pieces(np.unique(numbers))
        ]
        return [_best([part[i] for part in parts], count) for i in range(len(probes))]

    def compact(self) -> None:
        """Ask Milvus to rewrite what still holds removed faces; it does so in its own time."""
        self._milvus.ask(lambda client: client.compact(self.name, timeout=_WRITE_S))

    def close(self) -> None:
        """Nothing runs in the background here."""

    def _upsert(self, rows: list[dict[str, object]]) -> None:
        self._milvus.ask(lambda client: client.upsert(self.name, rows, timeout=_WRITE_S))
        if self._milvus.is_lite():
            self._wait_until_seen(rows[-1]["number"])

    def _wait_until_seen(self, number: object) -> None:
        """Milvus Lite dates a row by the clock's millisecond plus a count of all rows before it,
        but a question, or a removal, by the millisecond alone: rows are seen, and can be removed,
        only a millisecond or more after they were acknowledged. A call's rows have one date.
        """
        gives_up = monotonic() + _WRITE_S
        while not self._milvus.ask(
            lambda client: client.get(
                self.name, ids=[number], output_fields=["number"], timeout=_READ_S
            )
        ):
            if monotonic() > gives_up:
                raise _unavailable()
            sleep(_LOOK_AGAIN_S)

    def _delete(self, numbers: list[int]) -> None:
        self._milvus.ask(lambda client: client.delete(self.name, ids=numbers, timeout=_WRITE_S))

    def _nearest(self, probes: Vectors, count: int, condition: str) -> list[Hits]:
        """Find the nearest faces, at most `_MOST_HITS`."""
        if count <= 0 or not len(probes):
            return [_hits([], []) for _ in probes]
        if self._rotation is not None:
            probes = self._rotation.turn(probes)
        found = self._milvus.ask(
            lambda client: client.search(
                self.name,
                data=np.ascontiguousarray(probes, dtype=np.float32),
                anns_field="vector",
                limit=count,
                filter=condition,
                search_params={"metric_type": "IP"},
                timeout=_READ_S,
            )
        )
        return [_hits(hits.ids, hits.distances) for hits in found]

    def _many_near(self, probe: Vectors, count: int) -> Hits:
        """Find more faces than Milvus answers at once.

        All faces are divided in two by their numbers, again and again, until no part can hide one
        of the `count` nearest. Each half has half of those found in the whole at least, so it ends.
        """
        parts = {"": self._nearest(probe[None], _MOST_HITS, "")[0]}
        while True:
            best = _best(list(parts.values()), count)
            last = best.similarities[-1] if len(best.numbers) == count else -np.inf
            hiding = [
                condition
                for condition, hits in parts.items()
                if len(hits.numbers) == _MOST_HITS and hits.similarities[-1] > last
            ]
            if not hiding:
                return best
            for condition in hiding:
                middle = int(np.sort(parts.pop(condition).numbers)[_MOST_HITS // 2])
                besides = f"{condition} and " if condition else ""
                for half in (f"{besides}number < {middle}", f"{besides}number >= {middle}"):
                    parts[half] = self._nearest(probe[None], _MOST_HITS, half)[0]


def _tells_no_version(client: Any) -> bool:  # noqa: ANN401
    try:
        client.get_server_version(timeout=_READ_S)
    except (MilvusException, grpc.RpcError) as error:
        if _code(error) == grpc.StatusCode.UNIMPLEMENTED:
            return True
        raise
    return False


def _pieces(numbers: FaceNumbers) -> Iterator[FaceNumbers]:
    for start in range(0, len(numbers), _NUMBERS_AT_ONCE):
        yield numbers[start : start + _NUMBERS_AT_ONCE]


def _hits(numbers: Sequence[int], similarities: Sequence[float]) -> Hits:
    return Hits(np.array(numbers, dtype=np.int64), np.array(similarities, dtype=np.float32))


def _best(parts: Sequence[Hits], count: int) -> Hits:
    """The best of parts that have no face in common."""
    if not parts:
        return _hits([], [])
    numbers = np.concatenate([part.numbers for part in parts])
    similarities = np.concatenate([part.similarities for part in parts])
    order = np.argsort(-similarities, kind="stable")[: max(count, 0)]
    return Hits(numbers[order], similarities[order])


def _code(error: Exception) -> object:
    """What went wrong: an ErrorCode, a grpc.StatusCode, or None."""
    code = getattr(error, "code", None)
    return code() if callable(code) else code


def _unavailable() -> IndexUnavailable:
    return IndexUnavailable("the index (Milvus) does not answer")
