"""The file: whole or not there, its owner's alone, and readable without Vultus."""

import json
import os
import stat
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from app import __version__
from app.errors import ArchiveUnusable, CollectionNotFound
from app.gallery.store.database import Database
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.transfer.archive_writer import ArchiveWriter
from app.gallery.transfer.exporter import export_gallery
from tests.gallery.factories import MODEL
from tests.gallery.transfer.archives import (
    EMBEDDINGS,
    FACES,
    MANIFEST,
    PEOPLE,
    from_npy,
    lines_of,
    manifest_of,
    members_of,
)
from tests.gallery.transfer.galleries import rows


def test_archive_is_read_with_nothing_of_ours(source: Database, archive: Path) -> None:
    members = members_of(archive)
    told = manifest_of(members)
    assert (told["format"], told["format_version"]) == ("vultus-gallery", 4)
    assert told["vultus_version"] == __version__
    assert [entry["name"] for entry in told["collections"]] == ["default", "staff", "empty"]
    listed = [member for entry in told["collections"] for member in entry["members"]]
    assert [member["name"] for member in listed] == list(members)[:-1]
    assert list(members)[-1] == MANIFEST
    for member in listed:
        data = members[member["name"]]
        assert (member["size"], member["sha256"]) == (len(data), sha256(data).hexdigest())
    first = told["collections"][0]
    assert (first["embedder"], first["digest"], first["dimension"]) == (
        MODEL.name,
        MODEL.digest,
        MODEL.dimension,
    )
    people, faces = lines_of(members[PEOPLE]), lines_of(members[FACES])
    assert (len(people), len(faces)) == (first["identities"], first["faces"]) == (6, 11)
    embeddings = from_npy(members[EMBEDDINGS])
    assert embeddings.dtype == np.float32
    stored = {row[0]: row[3] for row in rows(source)["faces"]}
    assert [to_bytes(row) for row in embeddings] == [stored[face["id"]] for face in faces]
    assert {face["identity_id"] for face in faces} <= {person["id"] for person in people}
    assert from_npy(members[EMBEDDINGS.replace("0", "2")]).shape == (0, MODEL.dimension)


def test_only_the_owner_reads_it(source: Database, tmp_path: Path) -> None:
    path = tmp_path / "gallery.zip"
    left_over = tmp_path / "gallery.zip.partial"
    left_over.write_bytes(b"of an export that was killed" * 100_000)
    left_over.chmod(0o666)
    before = os.umask(0)
    try:
        export_gallery(source, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not left_over.exists()
    assert len(members_of(path)) == 10


def test_export_that_fails_leaves_the_older_archive(
    source: Database, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = archive.read_bytes()

    def full(_self: ArchiveWriter, _manifest: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArchiveWriter, "finish", full)
    with pytest.raises(ArchiveUnusable, match="No space left"):
        export_gallery(source, archive)
    assert archive.read_bytes() == before
    assert list(archive.parent.glob("*.partial")) == []


def test_unknown_collection_leaves_no_file(source: Database, tmp_path: Path) -> None:
    path = tmp_path / "none.zip"
    with pytest.raises(CollectionNotFound):
        export_gallery(source, path, names=["default", "nowhere"])
    assert list(tmp_path.glob("none*")) == []


def test_place_that_cannot_be_written_is_told(source: Database, tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="another place"):
        export_gallery(source, tmp_path / "nowhere" / "gallery.zip")


def test_two_exports_do_not_write_one_file(source: Database, tmp_path: Path) -> None:
    path = tmp_path / "gallery.zip"
    with (tmp_path / "gallery.zip.partial").open("wb") as other:
        flock(other, LOCK_EX)
        with pytest.raises(ArchiveUnusable, match="another export"):
            export_gallery(source, path)
    export_gallery(source, path)


@pytest.mark.parametrize("wrong", [b"", b"\0" * 32, np.full(8, np.nan, "<f4").tobytes()])
def test_what_nobody_could_import_is_told_at_the_export(
    wrong: bytes, source: Database, tmp_path: Path
) -> None:
    with source.writing() as session:
        face = session.scalars(select(FaceTable)).first()
        assert face is not None
        face.embedding = wrong
    with pytest.raises(ArchiveUnusable, match=face.id):
        export_gallery(source, tmp_path / "gallery.zip")
    assert list(tmp_path.glob("gallery*")) == []


def test_person_whom_nobody_could_import_is_named(source: Database, tmp_path: Path) -> None:
    with source.writing() as session:
        person = session.scalars(select(IdentityTable.id)).first()
        session.execute(update(IdentityTable).where(IdentityTable.id == person).values(name="a\0b"))
    with pytest.raises(ArchiveUnusable, match=f"{person}.*NUL"):
        export_gallery(source, tmp_path / "gallery.zip")


def test_manifest_is_for_people_too(archive: Path) -> None:
    text = members_of(archive)[MANIFEST].decode("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False)
