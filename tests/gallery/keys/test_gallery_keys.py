"""API keys in both databases, and what a process keeps of them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import text

from app.errors import KeyInactive, KeyNotFound
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import KeyState, NewKey
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.key_texts import digest_of, id_in
from app.gallery.keys.rights import Right, Role
from app.gallery.store.change_signal import change_signal
from app.gallery.store.database import Database

DOOR = NewKey("door", Role.CUSTOM, (Right.IDENTIFY,), ("staff",))


@pytest.fixture
def keys(database: Database) -> GalleryKeys:
    return GalleryKeys(database)


@pytest.fixture
def other_process(database_url: str) -> Iterator[GalleryKeys]:
    """The keys as another process reads and changes them."""
    with closing(Database(database_url, timeout_s=60)) as database:
        yield GalleryKeys(database)


def test_a_key_is_found_by_its_text_alone(keys: GalleryKeys) -> None:
    ring = KeyRing(keys)
    issued = keys.add(DOOR)
    assert ring.find(issued.text) is None
    ring.follow()
    assert ring.find(issued.text) == issued.key
    other_end = "A" if issued.text[-1] != "A" else "B"
    assert ring.find(issued.text[:-1] + other_end) is None
    assert ring.find(issued.text.replace(issued.key.id, "0" * 12)) is None
    assert ring.find(issued.key.prefix) is None
    assert ring.find("") is None


def test_of_a_key_only_the_digest_is_kept(database: Database, keys: GalleryKeys) -> None:
    issued = keys.add(DOOR)
    with database.reading() as session:
        row = session.execute(text("SELECT * FROM api_keys")).mappings().one()
    assert row["sha256"] == digest_of(issued.text)
    secret = issued.text.removeprefix(f"{issued.key.prefix}_")
    assert len(secret) == 43  # 32 bytes in base64url
    assert not any(secret in str(value) for value in row.values())
    assert id_in(issued.text) == issued.key.id == row["id"]


def test_a_revoked_key_is_seen_as_such_by_the_ring_of_another_process(
    keys: GalleryKeys, other_process: GalleryKeys
) -> None:
    issued = keys.add(DOOR)
    ring = KeyRing(keys)
    ring.follow()
    other_process.revoke(issued.key.id)
    ring.follow()
    found = ring.find(issued.text)
    assert found is not None
    assert found.state(datetime.now(UTC)) is KeyState.REVOKED


def test_each_change_of_a_key_makes_another_version_and_a_use_does_not(keys: GalleryKeys) -> None:
    versions = [keys.version()]
    first = keys.add(DOOR).key.id
    versions.append(keys.version())
    second = keys.rotate(first, overlap_s=60).key.id
    versions.append(keys.version())
    keys.revoke(second)
    versions.append(keys.version())
    assert len(set(versions)) == 4
    keys.revoke(second)
    keys.note_used({first: datetime.now(UTC)})
    assert keys.version() == versions[-1]


def test_a_rotated_key_has_a_successor_with_its_rights_and_ends_after_the_overlap(
    keys: GalleryKeys,
) -> None:
    until = datetime.now(UTC) + timedelta(days=30)
    former = keys.add(
        NewKey("door", Role.CUSTOM, (Right.IDENTIFY,), ("staff",), expires_at=until)
    ).key
    new = keys.rotate(former.id, overlap_s=60).key
    assert (new.name, new.rights, new.collections) == ("door", (Right.IDENTIFY,), ("staff",))
    assert new.expires_at is not None
    assert abs(new.expires_at - until) < timedelta(minutes=1)
    replaced = keys.get(former.id)
    assert replaced.successor_id == new.id
    now = datetime.now(UTC)
    assert replaced.state(now) is KeyState.ACTIVE
    assert replaced.state(now + timedelta(seconds=61)) is KeyState.EXPIRED
    with pytest.raises(KeyInactive, match=new.id):
        keys.rotate(former.id, overlap_s=60)


def test_a_key_that_ends_sooner_does_not_live_longer_by_an_overlap(keys: GalleryKeys) -> None:
    until = datetime.now(UTC) + timedelta(seconds=30)
    former = keys.add(NewKey("door", Role.VIEWER, (Right.READ,), None, expires_at=until)).key
    keys.rotate(former.id, overlap_s=3600)
    assert keys.get(former.id).expires_at == until


def test_revoked_and_expired_keys_are_not_rotated(keys: GalleryKeys) -> None:
    revoked = keys.add(DOOR).key.id
    keys.revoke(revoked)
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired = keys.add(NewKey("door", Role.VIEWER, (Right.READ,), None, expires_at=past)).key.id
    for key_id in (revoked, expired):
        with pytest.raises(KeyInactive):
            keys.rotate(key_id, overlap_s=60)
    with pytest.raises(KeyNotFound):
        keys.rotate("none", overlap_s=60)


def test_use_is_collected_in_memory_and_written_in_one_go(keys: GalleryKeys) -> None:
    issued = keys.add(DOOR)
    ring = KeyRing(keys)
    ring.follow()
    ring.note_use(issued.key.id)
    assert keys.get(issued.key.id).last_used_at is None
    ring.save_use()
    used_at = keys.get(issued.key.id).last_used_at
    assert used_at is not None
    ring.save_use()  # nothing new
    assert keys.get(issued.key.id).last_used_at == used_at


def test_an_earlier_use_does_not_replace_a_later_one(keys: GalleryKeys) -> None:
    key_id = keys.add(DOOR).key.id
    later = datetime.now(UTC)
    keys.note_used({key_id: later})
    keys.note_used({key_id: later - timedelta(seconds=5)})
    assert keys.get(key_id).last_used_at == later


def test_a_change_of_a_key_wakes_other_processes(
    database: Database, other_process: GalleryKeys
) -> None:
    key_id = other_process.add(DOOR).key.id
    signal = change_signal(database, Event())
    try:
        signal.wait(0)  # which notes the present state
        for change in (
            lambda: other_process.add(DOOR),
            lambda: other_process.rotate(key_id, overlap_s=60),
            lambda: other_process.revoke(key_id),
        ):
            change()
            assert signal.wait(0)
    finally:
        signal.close()


def test_pages_hold_only_keys_within_the_callers_collections(keys: GalleryKeys) -> None:
    mine = [keys.add(NewKey("a", Role.VIEWER, (Right.READ,), ("staff",))).key.id for _ in range(3)]
    others = [
        keys.add(NewKey("b", Role.VIEWER, (Right.READ,), collections)).key.id
        for collections in (None, ("guests",), ("staff", "guests"))
    ]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = keys.page(limit=2, cursor=cursor, within=("staff",))
        seen += [key.id for key in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == mine
    for key_id in others:
        for use in (keys.get, keys.revoke):
            with pytest.raises(KeyNotFound):
                use(key_id, within=("staff",))
    assert [key.id for key in keys.page(limit=10, cursor=None).items] == mine + others
