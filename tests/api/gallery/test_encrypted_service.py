"""A whole service with a master key."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import text

from app.gallery.journal.opening import journal_of
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import IssuedKey, NewKey
from app.gallery.keys.opening import pair_secrets_of
from app.gallery.keys.rights import RIGHTS_OF, Role
from app.gallery.store.database import Database
from app.main import create_app
from app.services import Services, build_services
from app.settings import Settings
from tests.api.conftest import image, images, problem
from tests.kit.api_keys import new_key

PEOPLE = "/v1/collections/default/identities"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encrypted")


@pytest.fixture(scope="module")
def admin(folder: Path) -> IssuedKey:
    """A key with a pair, made before the service had a master key."""
    settings = Settings(data_dir=folder / "data")
    with closing(Database(settings.resolved_database_url, timeout_s=10)) as database:
        database.journal = journal_of(settings)
        database.upgrade()
        keys = GalleryKeys(database, pair_secrets_of(settings, database.vault))
        return keys.add(NewKey("sdk", Role.ADMIN, RIGHTS_OF[Role.ADMIN], with_pair=True))


@pytest.fixture(scope="module")
def encrypted(folder: Path, admin: IssuedKey) -> Iterator[TestClient]:
    key = folder / "master.key"
    key.write_text(b64encode(bytes(range(32))).decode() + "\n")
    key.chmod(0o600)
    settings = Settings(data_dir=folder / "data", device="cpu", master_key_file=key)
    headers = {"x-api-key": admin.text}
    with TestClient(create_app(settings, build_services(settings)), headers=headers) as started:
        yield started


def services_of(client: TestClient) -> Services:
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    return services


def test_the_start_seals_the_secrets_of_pairs_by_the_master_key(
    encrypted: TestClient, admin: IssuedKey
) -> None:
    services = services_of(encrypted)
    (key,) = services.key_ring.keys.everything()[1]
    assert key.aws_secret_sealed is not None
    assert key.aws_secret_sealed.startswith(f"master:{services.database.vault.master.id}:")
    assert admin.pair is not None
    found = services.key_ring.find_pair(admin.pair.access_key_id)
    assert found is not None
    assert found.secret == admin.pair.secret_access_key


def test_people_and_their_crops_are_sealed_and_recognised(
    encrypted: TestClient, folder: Path
) -> None:
    keep = {"options": {"crops": {"keep": True}}}
    encrypted.patch("/v1/collections/default", json=keep).raise_for_status()
    body = encrypted.post(PEOPLE, files=images("hopper"), data={"name": "Grace"}).json()
    face_id, identity_id = body["faces"][0]["id"], body["identity"]["id"]
    answer = encrypted.post("/v1/collections/default/identify", files=image("hopper_again"))
    assert answer.json()["faces"][0]["status"] == "match"
    crop = encrypted.get(f"{PEOPLE}/{identity_id}/faces/{face_id}/crop")
    with Image.open(BytesIO(crop.content)) as picture:
        assert picture.format == "JPEG"
    files = b"".join(file.read_bytes() for file in (folder / "data").glob("vultus.db*"))
    assert crop.content[:64] not in files
    assert b"\xff\xd8\xff" not in files, "no JPEG begins there"


def test_a_row_that_was_altered_is_a_conflict_for_this_face_alone(encrypted: TestClient) -> None:
    body = encrypted.post(PEOPLE, files=images("astronaut"), data={"name": "Eileen"}).json()
    face_id, identity_id = body["faces"][0]["id"], body["identity"]["id"]
    with services_of(encrypted).database.engine.begin() as connection:
        for table, column, key in (("faces", "embedding", "id"), ("crops", "sealed", None)):
            where = (
                "id = :face" if key else "face_number = (SELECT number FROM faces WHERE id = :face)"
            )
            query = f"UPDATE {table} SET {column} = :bytes WHERE {where}"  # noqa: S608
            connection.execute(text(query), {"bytes": b"\x01" + bytes(540), "face": face_id})
    search = encrypted.post("/v1/collections/default/search", json={"face_id": face_id})
    assert face_id in problem(search, 409, "embedding_unreadable")["detail"]
    crop = encrypted.get(f"{PEOPLE}/{identity_id}/faces/{face_id}/crop")
    problem(crop, 409, "crop_unreadable")
    assert encrypted.get("/readyz").status_code == 200
    stats = encrypted.get("/v1/stats").json()
    assert (stats["problems"], stats["index"]["unreadable_faces"]) == (["embedding_unreadable"], 1)
    assert "vultus_unreadable_faces 1.0" in encrypted.get("/metrics").text
    _, viewer = new_key(encrypted, role="viewer", collections=["staff"])
    seen = encrypted.get("/v1/stats", headers=viewer).json()
    assert (seen["problems"], seen["index"]["unreadable_faces"]) == ([], 0)
    gone = encrypted.delete(f"{PEOPLE}/{identity_id}")
    assert gone.status_code == 200
    services_of(encrypted).recheck_unreadable()
    assert encrypted.get("/v1/stats").json()["problems"] == []


def test_a_process_without_the_key_answers_that_it_cannot(
    encrypted: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = services_of(encrypted).database.vault
    monkeypatch.setattr(vault, "is_on", False)
    vault.forget()
    refused = encrypted.post(PEOPLE, files=images("hopper"), data={"name": "Joe", "force": "true"})
    detail = problem(refused, 503, "collection_sealed")["detail"]
    assert "VULTUS_MASTER_KEY_FILE" in detail
