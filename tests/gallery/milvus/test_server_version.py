"""Servers of other versions than were run are refused, with the remedy."""

import pytest

from app.errors import IndexUnsupported, StartupError
from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.milvus_sync import MilvusSync
from app.gallery.store.database import Database
from tests.gallery.conftest import sqlite_only


class _Server:
    """Stands for a server of another version, which cannot be had here."""

    def __init__(self, version: str) -> None:
        self._version = version

    def get_server_version(self, **_: object) -> str:
        return self._version

    def list_collections(self, **_: object) -> list[str]:
        return ["faces"]


def _connect(milvus: Milvus, version: str, monkeypatch: pytest.MonkeyPatch) -> Milvus:
    monkeypatch.setattr(milvus, "_connected", lambda: _Server(version))
    return milvus


@pytest.mark.parametrize(
    "version", ["v2.3.5-lite", "2.6.4", "v2.4", "Zilliz Cloud Vector Database"]
)
def test_version_that_is_supported_is_asked(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _connect(Milvus("http://one:1"), version, monkeypatch).names() == ["faces"]


@pytest.mark.parametrize("version", ["v2.2.16", "1.1.1", "2.7.0", "v3.0.2"])
def test_version_that_is_not_supported_is_refused_with_those_that_are(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    milvus = _connect(Milvus("http://one:1"), version, monkeypatch)
    for _ in range(2):
        with pytest.raises(IndexUnsupported, match=rf"{version} is not supported.*2\.3 to 2\.6"):
            milvus.names()
    milvus.require()


@sqlite_only
def test_version_that_is_not_supported_ends_the_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = MilvusSync(database, _connect(Milvus("http://one:1"), "2.2.0", monkeypatch))
    with pytest.raises(StartupError, match="not supported"):
        sync.load_all()
