"""Archives that are damaged or made to do harm are refused, and nothing is changed."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from app.cli.remedies import TERMINAL
from app.errors import ArchiveUnusable
from app.gallery.store.database import Database
from app.gallery.transfer.importer import import_gallery
from tests.gallery.factories import count_rows
from tests.gallery.transfer.archives import (
    EMBEDDINGS,
    FACES,
    MANIFEST,
    PEOPLE,
    Members,
    as_lines,
    as_npy,
    from_npy,
    lines_of,
    manifest_of,
    members_of,
    put_together,
    with_checksums,
    with_manifest,
)
from tests.gallery.transfer.conftest import NewDatabase
from tests.gallery.transfer.galleries import as_archived, rows

Refused = Callable[[str], None]


@pytest.fixture
def empty(new_database: NewDatabase) -> Database:
    return new_database()


@pytest.fixture
def refused(archive: Path, empty: Database) -> Refused:
    """The archive is refused with these words, a remedy, and nothing changed."""

    def check(fact: str) -> None:
        with pytest.raises(ArchiveUnusable, match=fact) as told:
            import_gallery(empty, archive, choose_calibration=as_archived)
        assert re.search("; (copy|give|check|upgrade) ", TERMINAL.detail(told.value))
        assert set(count_rows(empty).values()) == {0}

    return check


@pytest.mark.parametrize("name", [PEOPLE, FACES, EMBEDDINGS, "collections/1/faces.jsonl", MANIFEST])
def test_one_flipped_bit_is_noticed(name: str, archive: Path, refused: Refused) -> None:
    whole = archive.read_bytes()
    data = members_of(archive)[name]
    start = whole.index(data)
    for place in random.Random(1).sample(range(len(data)), 8):
        damaged = bytearray(whole)
        damaged[start + place] ^= 1
        archive.write_bytes(damaged)
        refused("archive")


def test_any_flipped_bit_is_noticed_or_harmless(
    source: Database, archive: Path, empty: Database
) -> None:
    """Of the zip's own bytes, most of them at the end, some are dates that nobody reads."""
    whole = archive.read_bytes()
    refused = 0
    pick = random.Random(2)
    size = len(whole)
    for place in pick.sample(range(size), 75) + pick.sample(range(size - 1_000, size), 75):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        archive.write_bytes(damaged)
        before = rows(empty)
        try:
            import_gallery(empty, archive, choose_calibration=as_archived)
        except ArchiveUnusable:
            refused += 1
            assert rows(empty) == before
        else:
            assert rows(empty) == rows(source)
    assert refused > 75


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9, 0.999, 0.99999])
def test_truncated_archive_is_refused(share: float, archive: Path, refused: Refused) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    refused("no zip file" if share < 0.001 else "its end is missing")


def test_what_is_no_archive_is_refused(archive: Path, refused: Refused) -> None:
    archive.write_bytes(b"\xff\xd8\xff a photo" * 100)
    refused("no zip file")
    put_together(archive, {"photo.jpg": b"a photo"})
    refused("no archive of a gallery")
    put_together(archive, {MANIFEST: b'{"format": "something else"}'})
    refused("no archive of a gallery")
    put_together(archive, {MANIFEST: b"[" * 100_000})
    refused("manifest.json is no JSON")
    archive.unlink()
    refused("cannot be read")


@pytest.mark.parametrize("name", [PEOPLE, FACES, EMBEDDINGS, "collections/2/embeddings.npy"])
def test_missing_member_is_named(name: str, archive: Path, refused: Refused) -> None:
    members = members_of(archive)
    del members[name]
    put_together(archive, members)
    refused(f"{name} is missing")


def test_newer_format_asks_for_an_upgrade(archive: Path, refused: Refused) -> None:
    members = members_of(archive)
    newer = {**manifest_of(members), "format_version": 5, "something": "new"}
    put_together(archive, with_manifest(members, newer))
    refused("format 5, this version reads up to")


def test_compressed_archive_is_refused_before_it_grows(archive: Path, refused: Refused) -> None:
    members = members_of(archive)
    put_together(archive, {**members, PEOPLE: b"\0" * 50_000_000}, compression=ZIP_DEFLATED)
    assert archive.stat().st_size < 1_000_000
    refused("compressed")
    put_together(archive, {**members, MANIFEST: b" " * ((64 << 20) + 1)})
    refused("larger than")


def test_names_of_members_lead_nowhere(
    source: Database, archive: Path, empty: Database, tmp_path: Path
) -> None:
    members = members_of(archive)
    outside = tmp_path.parent / "escaped.txt"
    put_together(
        archive, {**members, "../escaped.txt": b"x", str(outside): b"x", "link": b"/etc/passwd"}
    )
    import_gallery(empty, archive, choose_calibration=as_archived)
    assert rows(empty) == rows(source)
    assert not outside.exists()


def _entry(change: dict[str, Any]) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        told = manifest_of(members)
        told["collections"][0].update(change)
        return with_manifest(members, told)

    return changed


def _foreign_member(members: Members) -> Members:
    told = manifest_of(members)
    told["collections"][0]["members"][0]["name"] = "../../etc/passwd"
    return with_manifest(members, told)


def _other_size(members: Members) -> Members:
    told = manifest_of(members)
    told["collections"][0]["members"][1]["size"] -= 1
    return with_manifest(members, told)


def _twice(members: Members) -> Members:
    told = manifest_of(members)
    told["collections"][1]["name"] = "default"
    return with_manifest(members, told)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (_entry({"identities": 5}), "more lines, not 5"),
        (_entry({"identities": 7}), "6 lines, not 7"),
        (_entry({"faces": 10}), "lines, not 10|of shape"),
        (_entry({"faces": 12}), "of shape"),
        (_entry({"faces": -1}), "faces"),
        (_entry({"faces": True}), "faces"),
        (_entry({"dimension": 9}), "of shape"),
        (_entry({"dimension": 10**9}), "dimension"),
        (_entry({"name": "../x"}), "name"),
        (_entry({"name": "staff\n"}), "name"),
        (_entry({"digest": "x" * 65}), "digest"),
        (_entry({"description": "a\0b"}), "NUL"),
        (_entry({"created_at": "2026-01-01T00:00:00"}), "created_at"),
        (_entry({"something": "else"}), "something"),
        (_entry({"members": []}), "members"),
        (_foreign_member, "other members"),
        (_other_size, "bytes, not"),
        (_twice, "default is there twice"),
    ],
)
def test_wrong_manifest_is_refused(
    change: Callable[[Members], Members], fact: str, archive: Path, refused: Refused
) -> None:
    put_together(archive, change(members_of(archive)))
    refused(fact)


def _line(name: str, number: int, change: dict[str, Any]) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        lines = lines_of(members[name])
        lines[number].update(change)
        return {**members, name: as_lines(lines)}

    return changed


def _copied(name: str, field: str) -> Callable[[Members], Members]:
    """The second line's field is that of the last."""

    def changed(members: Members) -> Members:
        lines = lines_of(members[name])
        return _line(name, 1, {field: lines[-1][field]})(members)

    return changed


def _replaced(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], Members]:
    return lambda members: {**members, name: change(members[name])}


def _row(value: float) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        array = from_npy(data).copy()
        array[7] = value
        return as_npy(array)

    return changed


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (_line(PEOPLE, 0, {"id": "x"}), "line 1 of collections/0/identities.jsonl: id"),
        (_line(PEOPLE, 2, {"name": "x" * 257}), "line 3.*name"),
        (_line(PEOPLE, 2, {"name": "a\0"}), "line 3.*NUL"),
        (_line(PEOPLE, 2, {"external_id": 5}), "external_id"),
        (_line(PEOPLE, 2, {"attributes": {"a": {"b": ["c\0"]}}}), "NUL"),
        (_line(PEOPLE, 2, {"attributes": {"a": float("nan")}}), "attributes"),
        (_line(PEOPLE, 2, {"attributes": {"a": "\ud800"}}), "line 3"),
        (_line(PEOPLE, 2, {"attributes": {"\0": 1}}), "NUL"),
        (_line(PEOPLE, 2, {"attributes": []}), "attributes"),
        (_line(PEOPLE, 2, {"attributes": {"a": "x" * (1 << 20)}}), "line 3"),
        (_line(PEOPLE, 2, {"created_at": "0001-01-01T00:00:00+14:00"}), "years"),
        (_line(PEOPLE, 2, {"created_at": 5}), "created_at"),
        (_line(PEOPLE, 2, {"is_admin": True}), "is_admin"),
        (_copied(PEOPLE, "id"), "no person|twice"),
        (_copied(FACES, "id"), "the id of a face is there twice"),
        (_line(PEOPLE, 1, {"external_id": "0emp-1"}), "an external_id of collection default"),
        (_line(FACES, 1, {"identity_id": "0" * 32}), "no person"),
        (_line(FACES, 1, {"box": [1, 2, 3]}), "box"),
        (_line(FACES, 1, {"landmarks": [[1, 2]] * 4}), "landmarks"),
        (_line(FACES, 1, {"detection_score": float("inf")}), "detection_score"),
        (_replaced(PEOPLE, lambda data: data[:-1] + b"\n\n"), "more lines"),
        (_replaced(PEOPLE, lambda data: b"\xff" + data), "line 1"),
        (_replaced(PEOPLE, lambda data: b"\n".join(data.splitlines()[::-1]) + b"\n"), "order"),
        (_replaced(FACES, lambda data: b"\n".join(data.splitlines()[::-1]) + b"\n"), "order"),
        (_replaced(FACES, lambda data: data + data.splitlines(True)[-1]), "more lines"),
        (_replaced(EMBEDDINGS, _row(0)), "row 7"),
        (_replaced(EMBEDDINGS, _row(1)), "row 7"),
        (_replaced(EMBEDDINGS, _row(float("nan"))), "row 7"),
        (_replaced(EMBEDDINGS, _row(3e38)), "row 7"),
        (_replaced(EMBEDDINGS, lambda data: data[:-4]), "fewer rows"),
        (_replaced(EMBEDDINGS, lambda data: data + b"\0"), "more rows"),
        (_replaced(EMBEDDINGS, lambda _data: b""), "no float32 array"),
        (_replaced(EMBEDDINGS, lambda data: as_npy(from_npy(data).astype("f8"))), "no float32"),
        (_replaced(EMBEDDINGS, lambda data: as_npy(from_npy(data).T)), "no float32"),
        (_replaced(EMBEDDINGS, lambda data: as_npy(np.asfortranarray(from_npy(data)))), "no float"),
        (_replaced(EMBEDDINGS, lambda data: b"PK" + data[2:]), "no float32"),
    ],
)
def test_wrong_content_with_right_checksums_is_refused(
    change: Callable[[Members], Members], fact: str, archive: Path, refused: Refused
) -> None:
    put_together(archive, with_checksums(change(members_of(archive))))
    refused(fact)


def test_two_faces_of_one_photo_are_refused(archive: Path, refused: Refused) -> None:
    members = members_of(archive)
    faces = lines_of(members[FACES])
    sharing = [face for face in faces if face["identity_id"] == faces[5]["identity_id"]]
    for face in sharing:
        face["image_sha256"] = "c" * 64
    put_together(archive, with_checksums({**members, FACES: as_lines(faces)}))
    refused("two faces of one photo")


def test_moments_of_other_zones_are_kept_right(archive: Path, database: Database) -> None:
    members = members_of(archive)
    people = lines_of(members[PEOPLE])
    people[0]["created_at"] = "2026-01-01T05:30:00+05:30"
    put_together(archive, with_checksums({**members, PEOPLE: as_lines(people)}))
    import_gallery(database, archive, choose_calibration=as_archived)
    (person,) = [row for row in rows(database)["identities"] if row[0] == people[0]["id"]]
    assert str(person[5]) == "2026-01-01 00:00:00+00:00"


def test_later_damage_stops_between_whole_people(
    source: Database, archive: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file changed after it was looked through, as on a disk that is failing."""
    whole = members_of(archive)
    monkeypatch.setattr("app.gallery.transfer.importer._PEOPLE_AT_ONCE", 2)

    def damage(doing: str, _done: int, _total: int) -> None:
        if doing == "importing":
            data = bytearray(archive.read_bytes())
            start = data.index(whole["collections/1/identities.jsonl"])
            data[start] ^= 1
            archive.write_bytes(data)

    with pytest.raises(ArchiveUnusable):
        import_gallery(database, archive, progress=damage, choose_calibration=as_archived)
    put_together(archive, whole)
    import_gallery(database, archive, choose_calibration=as_archived)
    assert rows(database) == rows(source)
    with ZipFile(archive) as file:
        assert file.testzip() is None
