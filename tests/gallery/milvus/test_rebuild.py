"""`vultus index rebuild` fills Milvus, and goes on where it was interrupted."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import StartupError
from app.gallery.milvus import milvus_sync
from app.gallery.store.database import Database
from app.services.index_building import rebuild_in_milvus
from app.settings import IndexSettings, Settings
from tests.gallery.factories import COLLECTION, enroll_people, found_ids, unit_vector, unit_vectors
from tests.gallery.milvus.conftest import OpenOnMilvus, sync_of
from tests.gallery.milvus.lite import LiteServer

PROBE = unit_vector(1)


class Reported(NamedTuple):
    name: str
    done: int
    total: int


Rebuild = Callable[..., dict[str, int]]


@pytest.fixture
def reports() -> list[Reported]:
    return []


@pytest.fixture
def rebuild(database: Database, lite: LiteServer, reports: list[Reported]) -> Rebuild:
    def run(*, anew: bool = False) -> dict[str, int]:
        return rebuild_in_milvus(
            Settings(index=IndexSettings(milvus_uri=lite.uri)),
            database,
            [COLLECTION],
            anew=anew,
            report=lambda *args: reports.append(Reported(*args)),
        )

    return run


def test_rebuild_sends_nothing_that_milvus_has(
    open_on_milvus: OpenOnMilvus, rebuild: Rebuild, reports: list[Reported]
) -> None:
    enroll_people(open_on_milvus(), [unit_vectors(6, seed=1)])
    assert rebuild() == {COLLECTION: 0}
    assert reports[-1] == Reported(COLLECTION, 6, 6)


def test_rebuild_fills_a_milvus_that_lost_all(
    open_on_milvus: OpenOnMilvus, rebuild: Rebuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = open_on_milvus()
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(11, seed=2)])
    (index,) = sync_of(gallery)._known.values()
    index.drop()
    monkeypatch.setattr(milvus_sync, "_UPLOADED_AT_ONCE", 4)
    assert rebuild() == {COLLECTION: 11}
    assert set(found_ids(gallery, PROBE, top_k=20)) == set(people)
    assert gallery.sync.face_count() == 11


def test_rebuild_anew_sends_everything(open_on_milvus: OpenOnMilvus, rebuild: Rebuild) -> None:
    gallery = open_on_milvus()
    people = enroll_people(gallery, [unit_vectors(6, seed=3)])
    assert rebuild(anew=True) == {COLLECTION: 6}
    assert found_ids(gallery, PROBE) == list(people)
    assert gallery.sync.face_count() == 6


def test_rebuild_goes_on_where_it_was_interrupted(
    open_on_milvus: OpenOnMilvus,
    rebuild: Rebuild,
    reports: list[Reported],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = open_on_milvus()
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(11, seed=4)])
    monkeypatch.setattr(milvus_sync, "_UPLOADED_AT_ONCE", 4)
    upload = milvus_sync.MilvusSync._upload
    pieces = 0

    def two_pieces(self: milvus_sync.MilvusSync, *arguments: object) -> None:
        nonlocal pieces
        if pieces == 2:
            raise KeyboardInterrupt
        pieces += 1
        upload(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(milvus_sync.MilvusSync, "_upload", two_pieces)
    with pytest.raises(KeyboardInterrupt):
        rebuild(anew=True)
    monkeypatch.setattr(milvus_sync.MilvusSync, "_upload", upload)
    reports.clear()
    assert rebuild() == {COLLECTION: 3}
    assert (reports[0], reports[-1]) == (Reported(COLLECTION, 8, 11), Reported(COLLECTION, 11, 11))
    assert set(found_ids(gallery, PROBE, top_k=20)) == set(people)
    assert gallery.sync.face_count() == 11


def test_rebuild_without_milvus_names_the_setting(database: Database) -> None:
    with pytest.raises(StartupError, match="VULTUS_INDEX__MILVUS_URI is not set"):
        rebuild_in_milvus(Settings(), database, [], anew=False, report=lambda *_: None)


def test_command_fills_every_collection(
    open_on_milvus: OpenOnMilvus,
    database: Database,
    lite: LiteServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enroll_people(open_on_milvus(), [unit_vectors(6, seed=5)])
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("VULTUS_DATABASE_URL", url)
    monkeypatch.setenv("VULTUS_INDEX__MILVUS_URI", lite.uri)
    done = CliRunner().invoke(cli, ["index", "rebuild", "--anew"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"{COLLECTION}: 6 faces were sent" in done.stdout
