"""Secrets of pairs: sealed by the master key or by a key file."""

from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import KeySecretSealed
from app.gallery.keys.aws_pair import new_pair
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import NewKey
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.pair_secrets import PairSecrets, pair_secrets
from app.gallery.keys.rights import Right, Role
from app.gallery.store.database import Database
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.vault import Vault
from app.gallery.vault.wrapped_texts import WrappedAnew

SDK = NewKey("sdk", Role.CUSTOM, (Right.IDENTIFY,), ("staff",), with_pair=True)
FIRST, SECOND = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


def by_file(database: Database, folder: Path) -> PairSecrets:
    return pair_secrets(Vault(database), None, folder)


def by_masters(database: Database, folder: Path, *masters: MasterKey) -> PairSecrets:
    return pair_secrets(Vault(database, lambda: masters, is_on=True), None, folder)


def test_the_secret_of_a_pair_is_in_no_row_and_found_by_its_access_key_id(
    database: Database, tmp_path: Path
) -> None:
    keys = GalleryKeys(database, by_file(database, tmp_path))
    issued = keys.add(SDK)
    assert issued.pair is not None
    assert issued.pair.secret_access_key not in repr(issued)
    with database.reading() as session:
        row = session.execute(text("SELECT * FROM api_keys")).mappings().one()
    assert issued.pair.secret_access_key not in str(dict(row))
    assert (tmp_path / "keys.key").stat().st_mode & 0o077 == 0
    ring = KeyRing(GalleryKeys(database, by_file(database, tmp_path)))  # of another process
    assert ring.find_pair(issued.pair.access_key_id) is None
    ring.follow()
    found = ring.find_pair(issued.pair.access_key_id)
    assert found is not None
    assert (found.key.id, found.secret) == (issued.key.id, issued.pair.secret_access_key)
    assert found.key.rights == SDK.rights


def test_a_secret_of_another_pair_or_key_file_does_not_open(
    database: Database, tmp_path: Path
) -> None:
    secrets = by_file(database, tmp_path)
    one, other = new_pair(), new_pair()
    kept = secrets.sealed(one)
    assert secrets.opened(one.access_key_id, kept) == one.secret_access_key
    with pytest.raises(KeySecretSealed):
        secrets.opened(other.access_key_id, kept)
    with pytest.raises(KeySecretSealed):
        by_file(database, tmp_path / "other").opened(one.access_key_id, kept)


def test_with_a_master_key_secrets_are_sealed_by_it_and_open_while_it_is_changed(
    database: Database, tmp_path: Path
) -> None:
    pair = new_pair()
    kept = by_masters(database, tmp_path, FIRST).sealed(pair)
    assert not (tmp_path / "keys.key").exists()
    changed = by_masters(database, tmp_path, SECOND, FIRST)
    assert changed.opened(pair.access_key_id, kept) == pair.secret_access_key
    for without in (by_masters(database, tmp_path, SECOND), by_file(database, tmp_path)):
        with pytest.raises(KeySecretSealed):
            without.opened(pair.access_key_id, kept)
    # Made before the service had a master key.
    former = by_file(database, tmp_path).sealed(pair)
    assert changed.opened(pair.access_key_id, former) == pair.secret_access_key


def test_secrets_are_sealed_anew_so_that_a_former_key_may_go(
    database: Database, tmp_path: Path
) -> None:
    issued = GalleryKeys(database, by_file(database, tmp_path)).add(SDK)
    lost = GalleryKeys(database, by_file(database, tmp_path / "other")).add(SDK)
    revoked = GalleryKeys(database, by_file(database, tmp_path)).add(SDK)
    GalleryKeys(database).revoke(revoked.key.id)
    assert issued.pair is not None
    follower = KeyRing(GalleryKeys(database, by_masters(database, tmp_path, FIRST, SECOND)))
    follower.follow()
    for masters in ((FIRST,), (SECOND, FIRST)):
        keys = GalleryKeys(database, by_masters(database, tmp_path, *masters))
        assert keys.seal_pairs() == WrappedAnew(1, (lost.key.id,))
        assert keys.seal_pairs() == WrappedAnew(0, (lost.key.id,))
        (tmp_path / "keys.key").unlink(missing_ok=True)
        alone = KeyRing(GalleryKeys(database, by_masters(database, tmp_path, masters[0])))
        alone.follow()
        follower.follow()  # it sees a change
        for ring in (alone, follower):
            found = ring.find_pair(issued.pair.access_key_id)
            assert found is not None
            assert found.secret == issued.pair.secret_access_key
    # Without a master key, there is nothing to seal by.
    assert GalleryKeys(database, by_file(database, tmp_path)).seal_pairs() == WrappedAnew(0, ())
