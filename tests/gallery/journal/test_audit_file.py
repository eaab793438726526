"""The copy of the audit log in a file has each line, also after a process was killed."""

import json
from pathlib import Path

from app.gallery.gallery import Gallery
from app.gallery.journal.audit_file import file_follower
from app.gallery.journal.earlier_export import missing_lines
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import enroll, unit_vector
from tests.gallery.journal.test_chain import lines_of


def _ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_each_line_is_appended_once_whichever_process_follows(
    open_gallery: OpenGallery, tmp_path: Path
) -> None:
    path = tmp_path / "siem" / "audit.jsonl"
    galleries = [open_gallery() for _ in range(2)]
    for turn in range(4):
        gallery = galleries[turn % 2]
        enroll(gallery, unit_vector(turn + 1))
        assert file_follower(gallery.store.database, path).follow() >= 1
    assert sorted(_ids(path)) == sorted(line.id for line in lines_of(galleries[0]))
    assert path.stat().st_mode & 0o077 == 0
    assert missing_lines(galleries[0].store, path) == []
    assert file_follower(galleries[0].store.database, path).follow() == 0


def test_lines_without_a_noted_position_are_appended_again(
    gallery: Gallery, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    enroll(gallery, unit_vector(1))
    file = file_follower(gallery.store.database, path)
    count = file.follow()
    before = path.with_name("audit.jsonl.position").read_text()
    enroll(gallery, unit_vector(2))
    assert file.follow() == 1
    path.with_name("audit.jsonl.position").write_text(before)  # killed before it was noted
    assert file.follow() == 1
    ids = _ids(path)
    assert len(ids) == count + 2
    assert len(set(ids)) == count + 1


def test_a_file_that_was_renamed_is_begun_again(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = file_follower(gallery.store.database, path)
    file.follow()
    path.rename(tmp_path / "audit.1.jsonl")
    enroll(gallery, unit_vector(1))
    file.follow()
    (line,) = lines_of(gallery, action="identity.created")
    assert _ids(path) == [line.id]
