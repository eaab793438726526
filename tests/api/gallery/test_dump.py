"""What the files of an encrypted gallery show to those who have all of them: no embedding.

Everything that is written is searched for the bytes of each embedding. The same search finds them
in a gallery that is not encrypted.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import sql

from app.cli.upkeep.archive_keys import ArchiveKeys, locks_to_seal
from app.constants import Constants
from app.gallery.store.database import Database
from app.gallery.transfer.exporter import export_gallery
from app.main import create_app
from app.services import Services, build_services
from app.settings import Settings
from tests.api.conftest import image, images
from tests.api.gallery.conftest import CROPS_KEY
from tests.kit.postgres import new_postgres_database

URL = "/v1/collections/default"
MASTER_TEXT = b64encode(b"m" * 32).decode()
OPTIONS = {"crops": {"keep": True}, "unknowns": {"keep": True, "crops": True}}
PARTS = 16
"""Parts of an embedding that are searched for, each of two numbers; four bytes come by chance."""


@dataclass
class Filled:
    """A service with an enrolled and an unknown person, an index snapshot and an archive."""

    client: TestClient
    services: Services
    folder: Path
    identity_id: str
    crops: list[bytes]

    @property
    def archive(self) -> Path:
        return self.folder / "gallery.archive"

    def export(self, locks: ArchiveKeys) -> None:
        database = self.services.database
        export_gallery(database, self.archive, locks=locks_to_seal(locks, database.vault))


@contextmanager
def filled(folder: Path, *, url: str | None = None, sealed: bool) -> Iterator[Filled]:
    settings = Settings(
        data_dir=folder,
        database_url=url,
        device="cpu",
        crops_key=CROPS_KEY,
        master_key=MASTER_TEXT if sealed else None,
    )
    services = build_services(settings, constants=Constants(snapshot_above=1))
    with TestClient(create_app(settings, services)) as client:
        client.patch(URL, json={"options": OPTIONS}).raise_for_status()
        enrolled = client.post(
            f"{URL}/identities", files=images("astronaut"), headers={"idempotency-key": "once"}
        )
        enrolled.raise_for_status()
        identity_id = enrolled.json()["identity"]["id"]
        (face,) = client.post(f"{URL}/identify", files=image("hopper")).json()["faces"]
        group = f"{URL}/unknowns/{face['unknown_group_id']}"
        (seen,) = client.get(group).json()["faces"]
        (held,) = client.get(f"{URL}/identities/{identity_id}/faces").json()["faces"]
        addresses = (
            f"{URL}/identities/{identity_id}/faces/{held['id']}/crop",
            f"{group}/faces/{seen['id']}/crop",
        )
        crops = [client.get(address).raise_for_status().content for address in addresses]
        services.gallery.sync.save()
        one = Filled(client, services, folder, identity_id, crops)
        one.export(ArchiveKeys())
        yield one


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled(tmp_path_factory.mktemp("clear"), sealed=False) as one:
        yield one


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def sealed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("sealed")
    if request.param == "sqlite":
        with filled(folder, sealed=True) as one:
            yield one
    else:
        with (
            new_postgres_database(postgres_server) as url,
            filled(folder, url=url, sealed=True) as one,
        ):
            yield one


@pytest.fixture(scope="module")
def embeddings(clear: Filled) -> list[bytes]:
    """Those of both people, as the gallery in the clear has them."""
    found = opened(clear)
    assert len(found) == 2
    return found


def forms(embedding: bytes) -> list[bytes]:
    """The embedding, parts of it, and other forms in which it might be written."""
    numbers = np.frombuffer(embedding, dtype="<f4")
    some = range(0, len(embedding) - 8, len(embedding) // PARTS // 4 * 4)
    parts = [embedding[start : start + 8] for start in some]
    assert len(parts) >= PARTS
    texts = [repr(float(number))[:10].encode() for number in numbers[:4]]
    wider = numbers[:2].astype("<f8").tobytes()
    return [embedding, *parts, wider, b64encode(embedding)[:24], *texts]


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of a data folder: database, write-ahead log, snapshots, archive, and others."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def rows_of(database: Database) -> dict[str, bytes]:
    """All rows of PostgreSQL, table by table, as binary."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dumped = {}
    with closing(psycopg.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            command = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with cursor.copy(command) as rows:
                dumped[table] = b"".join(bytes(row) for row in rows)
    return dumped


def opened(one: Filled) -> list[bytes]:
    """The embeddings that the service itself reads from the database."""
    with one.services.gallery.store.reading("default") as transaction:
        found = [*transaction.faces.embeddings(), *transaction.unknowns.embeddings()]
        return [vector.tobytes() for _, vectors in found for vector in vectors]


def dump(one: Filled) -> dict[str, bytes]:
    """Everything that is written of a gallery, by where it lies."""
    database = one.services.database
    rows = {} if database.dialect == "sqlite" else rows_of(database)
    return {**files_of(one.folder), **rows}


def places_of(secret: bytes, dumped: dict[str, bytes]) -> set[str]:
    return {name for name, data in dumped.items() if secret in data}


def test_search_finds_what_is_not_encrypted(clear: Filled, embeddings: list[bytes]) -> None:
    dumped = dump(clear)
    enrolled, unknown = embeddings
    database = {name for name in dumped if name.startswith("vultus.db")}
    assert places_of(enrolled, dumped) >= {"index/1.index", "gallery.archive"}
    for secret in (enrolled, unknown):
        assert places_of(secret, dumped) & database
        for part in forms(secret)[: PARTS + 1]:
            assert places_of(part, dumped)


def test_nothing_shows_an_embedding_or_a_crop_of_an_encrypted_gallery(
    sealed: Filled, embeddings: list[bytes]
) -> None:
    assert opened(sealed) == embeddings, "what is searched for is what is kept"
    dumped = dump(sealed)
    assert {"index/1.index", "gallery.archive"} <= set(dumped)
    assert len(dumped["index/1.index"]) > len(embeddings[0]), "the snapshot has the face"
    for secret in embeddings:
        assert [form for form in forms(secret) if places_of(form, dumped)] == []
    assert places_of(b"m" * 32, dumped) | places_of(MASTER_TEXT.encode(), dumped) == set()
    for crop in sealed.crops:
        middle = len(crop) // 2
        assert len(crop) > 1_000
        assert places_of(crop[middle : middle + 16], dumped) == set()


def test_nor_after_an_erasure(sealed: Filled, embeddings: list[bytes]) -> None:
    answer = sealed.client.request(
        "DELETE", f"{URL}/identities/{sealed.identity_id}", params={"compact": "true"}
    )
    answer.raise_for_status()
    sealed.services.gallery.sync.save()
    sealed.export(ArchiveKeys())
    dumped = dump(sealed)
    for secret in embeddings:
        assert [form for form in forms(secret) if places_of(form, dumped)] == []
