"""`vultus encrypt`, on a real database."""

from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli.open_database import open_database
from app.errors import MasterKeyMissing
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.delivery.webhook_records import NewWebhook
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.opening import pair_secrets_of
from app.gallery.store.database import Database
from app.gallery.store.statements.vector_bytes import to_bytes
from app.settings import Settings
from tests.gallery.factories import COLLECTION, enroll, new_gallery, unit_vector
from tests.kit.commands import json_of_command, run_command

FIRST, SECOND = (b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a gallery that is not encrypted."""
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "data"))
    run_command("collections", "create", "staff")
    with closing(Database(Settings().resolved_database_url, timeout_s=10)) as database:
        gallery = new_gallery(database)
        gallery.collections.claim()
        for seed in range(3):
            enroll(gallery, unit_vector(seed))
    return tmp_path / "data"


def test_a_gallery_is_encrypted_and_its_keys_are_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = json_of_command("keys", "add", "sdk", "--role", "operator", "--aws")["aws"]
    with pytest.raises(MasterKeyMissing):
        run_command("encrypt", "on")
    assert run_command("encrypt", "status").exit_code == 3

    monkeypatch.setenv("VULTUS_MASTER_KEY", FIRST)
    done = json_of_command("encrypt", "on")
    assert sorted(done["encrypted"]) == [COLLECTION, "staff"]
    assert [one["where"] for one in done["remains"]] == ["backups"]
    assert done["unreadable_pairs"] == []
    (folder / "keys.key").unlink()
    content = b"".join(file.read_bytes() for file in folder.glob("vultus.db*"))
    assert not any(to_bytes(unit_vector(seed))[:12] in content for seed in range(3))
    status = json_of_command("encrypt", "status")
    (first,) = status["master_ids"]
    assert {one["master_id"] for one in status["collections"]} == {first}
    assert run_command("encrypt", "status").exit_code == 0
    # As if it had ended before it removed snapshots: then there is nothing left to encrypt.
    left = Settings().snapshots_dir / "1.index"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"a snapshot in the clear")
    assert "encrypted already" in run_command("encrypt", "on").stdout
    assert not left.exists()

    monkeypatch.setenv("VULTUS_MASTER_KEY", f"{SECOND},{FIRST}")
    rotated = json_of_command("encrypt", "rotate", "--collections", "--destroy-former")
    assert rotated["master_id"] != first
    # Keys that are destroyed are not wrapped by the new master key before.
    assert (rotated["collection_keys"], rotated["owner_keys"], rotated["destroyed"]) == (0, 3, 2)
    assert (rotated["pair_secrets"], rotated["unreadable_pairs"]) == (1, [])
    monkeypatch.setenv("VULTUS_MASTER_KEY", SECOND)
    assert _secret_of(pair["access_key_id"]) == pair["secret_access_key"]
    assert "all encrypted rows open" in run_command("encrypt", "verify").stdout


def _secret_of(access_key_id: str) -> str | None:
    with open_database(upgrade=False) as (settings, database):
        ring = KeyRing(GalleryKeys(database, pair_secrets_of(settings, database.vault)))
        ring.follow()
        found = ring.find_pair(access_key_id)
    return None if found is None else found.secret


def test_former_keys_that_stay_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_MASTER_KEY", FIRST)
    run_command("encrypt", "on")
    with (
        closing(Database(f"sqlite:///{folder / 'vultus.db'}", timeout_s=10)) as database,
        database.writing() as session,
    ):
        session.execute(text("UPDATE person_keys SET wrapped = x'01' WHERE identity_number = 2"))
    done = run_command("encrypt", "rotate", "--collections", "--destroy-former")
    assert done.exit_code == 3
    assert f"former keys stay in {COLLECTION}" in done.stderr


@pytest.mark.usefixtures("folder")
def test_secrets_of_webhooks_that_do_not_open_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_MASTER_KEY", FIRST)
    run_command("encrypt", "on")
    new = NewWebhook("a", "https://example.com/")
    with open_database(upgrade=False) as (_, database):
        webhooks = GalleryWebhooks(database)
        lost, good = (webhooks.add(new).webhook.id for _ in range(2))
        with database.writing() as session:
            session.execute(
                text("UPDATE webhooks SET secret = 'sealed:other:AA==' WHERE id = :id"),
                {"id": lost},
            )
    monkeypatch.setenv("VULTUS_MASTER_KEY", f"{SECOND},{FIRST}")
    rotated = json_of_command("encrypt", "rotate")
    assert (rotated["webhook_secrets"], rotated["unreadable_webhooks"]) == (1, [lost])
    done = run_command("encrypt", "on")
    assert f"the secret of webhook {lost} does not open" in done.stderr
    assert good not in done.stderr


def test_rows_that_do_not_open_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_MASTER_KEY", FIRST)
    run_command("encrypt", "on")
    with (
        closing(Database(f"sqlite:///{folder / 'vultus.db'}", timeout_s=10)) as database,
        database.writing() as session,
    ):
        other = "(SELECT embedding FROM faces WHERE number = 1)"
        session.execute(text(f"UPDATE faces SET embedding = {other} WHERE number = 2"))  # noqa: S608
        face_id = session.scalar(text("SELECT id FROM faces WHERE number = 2"))
    verdict = run_command("encrypt", "verify")
    assert verdict.exit_code == 3
    assert f"default: faces, {face_id}: the bytes do not open" in verdict.stdout
