"""A Milvus for all tests, one of its own for those that break it, and galleries on them."""

import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from app.gallery.gallery import Gallery
from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.milvus_sync import MilvusSync
from app.gallery.store.database import Database
from app.recognition.types import ModelId
from tests.gallery.conftest import Connect
from tests.gallery.factories import MODEL
from tests.gallery.milvus.lite import LiteServer
from tests.gallery.vault.vaults import with_masters
from tests.kit.breakable_proxy import BreakableProxy
from tests.kit.milvus_server import WITHOUT_MILVUS, shared_milvus


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


OpenOnMilvus = Callable[..., Gallery]
"""Takes the options of `MilvusSync` and the `uri` of another Milvus; stands for a process."""

Logs = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    """What is logged. Printing the traceback of every failure takes longer than the tests do."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture(scope="session")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteServer]:
    server = LiteServer(tmp_path_factory.mktemp("milvus") / "all.db")
    yield server
    server.stop()


@pytest.fixture
def proxy(standalone: str) -> Iterator[BreakableProxy]:
    """A connection to that server which a test can break."""
    proxy = BreakableProxy(urlsplit(standalone).port or 0)
    yield proxy
    proxy.close()


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[LiteServer]:
    server = LiteServer(tmp_path / "one.db")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of one Milvus standalone for all tests, in whichever process.

    Its time ticks are short, as each search that is to see all changes waits for one. It ends
    itself when its sessions expire, which may happen on a busy machine; here, they last.
    """
    given = os.environ.get("VULTUS_TEST_MILVUS_URI")
    if given is not None:
        yield given
        return
    if WITHOUT_MILVUS is not None:
        pytest.skip(f"{WITHOUT_MILVUS}, and VULTUS_TEST_MILVUS_URI is not set")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    settings: dict[str, object] = {"proxy.timeTickInterval": 20, "common.session.ttl": 300}
    with shared_milvus(folder / "milvus", settings) as uri:
        yield uri


@pytest.fixture(params=["lite", "standalone"], scope="session")
def uri(request: pytest.FixtureRequest) -> str:
    """The URI of each kind of Milvus."""
    server = request.getfixturevalue(request.param)
    return server.uri if isinstance(server, LiteServer) else str(server)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def milvus(lite: LiteServer) -> Iterator[Milvus]:
    connected = Milvus(lite.uri)
    yield connected
    connected.close()


@pytest.fixture
def open_on_milvus(
    connect: Connect,
    database: Database,  # noqa: ARG001
    lite: LiteServer,
    clock: Clock,
) -> Iterator[OpenOnMilvus]:
    with ExitStack() as stack:

        def open_one(
            *,
            uri: str = lite.uri,
            model: ModelId = MODEL,
            start: bool = True,
            sealed: bool = False,
            **options: object,
        ) -> Gallery:
            ours = with_masters(connect()) if sealed else connect()
            options = {"clock": clock, **options}
            sync = MilvusSync(ours, Milvus(uri, clock=clock), **options)  # type: ignore[arg-type]
            gallery = Gallery(ours, sync, model)
            stack.callback(gallery.close)
            if start:
                gallery.open()
            return gallery

        yield open_one


def sync_of(gallery: Gallery) -> MilvusSync:
    assert isinstance(gallery.sync, MilvusSync)
    return gallery.sync
