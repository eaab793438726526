"""Signed heads: an export is checked by a public key alone, and a cut end shows."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action, Note
from app.gallery.journal.chain import AuditKey, Line, line_document
from app.gallery.journal.export_file import ExportFile, missing_in_file, verify_file
from app.gallery.journal.faults import FaultKind
from app.gallery.journal.head_signer import HeadSigner
from app.gallery.journal.journal import note_in
from app.gallery.journal.signing_key import SigningKey, load_signing_key, read_public_key
from app.gallery.journal.verification import verify
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.tables import AuditHeadTable, AuditLineTable
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import enroll, unit_vector
from tests.gallery.journal.required_lines import AUDIT_KEY
from tests.gallery.journal.test_chain import change, enroll_some, lines_of, log_of

KEY = SigningKey(b"s" * 32)
OTHER = SigningKey(b"o" * 32)


def signer_of(gallery: Gallery) -> HeadSigner:
    return HeadSigner(gallery.store.database, lambda: KEY)


def export_of(gallery: Gallery, path: Path) -> list[dict[str, Any]]:
    documents = [line_document(line) for line in log_of(gallery).newest_first(LineFilter())]
    write(path, documents)
    return documents


def write(path: Path, documents: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))


def kinds(path: Path, *keys: AuditKey, signer: SigningKey = KEY) -> set[FaultKind]:
    verdict = verify_file(ExportFile(path), keys, [signer.public])
    return {fault.kind for fault in verdict.faults}


def test_an_export_is_whole_by_the_public_key_alone(gallery: Gallery, tmp_path: Path) -> None:
    enroll_some(gallery, 3)
    assert signer_of(gallery).sign() > 3
    enroll_some(gallery, 2)
    assert signer_of(gallery).sign() >= 2
    path = tmp_path / "audit.jsonl"
    documents = export_of(gallery, path)
    verdict = verify_file(ExportFile(path), [], [KEY.public])
    assert verdict.faults == ()
    assert verdict.lines == len(documents)
    assert verdict.unsigned == 1  # the last signature itself
    assert kinds(path, AUDIT_KEY) == set()
    assert kinds(path, signer=OTHER) == {FaultKind.OTHER_SIGNER}
    assert verify(gallery.store, [AUDIT_KEY], [KEY.public]).faults == ()


def test_an_export_that_was_cut_back_to_an_earlier_signature_shows_its_moment(
    gallery: Gallery, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    ids: list[set[str]] = []
    for _ in range(2):
        enroll_some(gallery, 1)
        signer_of(gallery).sign()
        documents = export_of(gallery, path)
        ids.append({one["id"] for one in documents})
    late = {one.chain: one for one in verify_file(ExportFile(path), [], [KEY.public]).signed}
    write(path, [one for one in documents if one["id"] in ids[0]])
    cut = verify_file(ExportFile(path), [], [KEY.public])
    assert cut.faults == ()
    last, first = (
        one["details"]["signed_at"] for one in documents if one["action"] == "audit.signed"
    )
    assert {one.at for one in cut.signed} == {first}
    assert late[1].at == last > first
    (early,) = (one for one in cut.signed if one.chain == 1)
    assert early.sequence < late[1].sequence


def test_nothing_new_is_not_signed_again(gallery: Gallery) -> None:
    enroll_some(gallery, 1)
    assert signer_of(gallery).sign_if_many(10_000) == 0
    assert signer_of(gallery).sign() > 0
    for _ in range(2):
        assert signer_of(gallery).sign() == 0
    assert len(lines_of(gallery, action="audit.signed")) == 1


_CHANGES: Mapping[str, tuple[Callable[[dict[str, Any]], bool], FaultKind]] = {
    "a line left out": (lambda line: line["id"] != "1-3", FaultKind.MISSING),
    "the end left out": (
        lambda line: line["chain"] != 1 or line["sequence"] < 4,
        FaultKind.MISSING,
    ),
    "a chain left out": (lambda line: line["chain"] != 1, FaultKind.MISSING),
    "another principal": (
        lambda line: line["id"] != "1-3" or not line.update(principal="key 9"),
        FaultKind.SIGNED_OTHERWISE,
    ),
    "other details": (
        lambda line: line["id"] != "1-3" or not line.update(details={}),
        FaultKind.SIGNED_OTHERWISE,
    ),
}


@pytest.mark.parametrize("what", _CHANGES)
def test_a_change_of_an_export_shows_by_the_public_key(
    gallery: Gallery, tmp_path: Path, what: str
) -> None:
    enroll_some(gallery)
    signer_of(gallery).sign()
    path = tmp_path / "audit.jsonl"
    keep, kind = _CHANGES[what]
    write(path, [one for one in export_of(gallery, path) if keep(one)])
    assert kind in kinds(path)


def test_a_signature_that_was_changed_shows(gallery: Gallery, tmp_path: Path) -> None:
    enroll_some(gallery, 1)
    signer_of(gallery).sign()
    path = tmp_path / "audit.jsonl"
    documents = export_of(gallery, path)
    (signed,) = [one for one in documents if one["action"] == "audit.signed"]
    heads = signed["details"]["heads"]
    heads[0]["sequence"] -= 1
    write(path, documents)
    assert kinds(path) == {FaultKind.BAD_SIGNATURE}


def test_an_end_that_was_cut_off_by_who_has_the_hmac_key_shows(gallery: Gallery) -> None:
    """The chain itself is whole then: its head and its seal fit."""
    enroll_some(gallery)
    signer_of(gallery).sign()
    line = lines_of(gallery, action="identity.created")[2]
    change(
        gallery,
        delete(AuditLineTable).where(
            AuditLineTable.chain == line.chain, AuditLineTable.sequence > line.sequence
        ),
    )
    seal = AUDIT_KEY.seal("head", line.chain, line.sequence, line.mac)
    forged = update(AuditHeadTable).where(AuditHeadTable.chain == line.chain)
    change(gallery, forged.values(sequence=line.sequence, mac=line.mac, seal=seal))
    assert verify(gallery.store, [AUDIT_KEY]).faults == ()
    verdict = verify(gallery.store, [AUDIT_KEY], [KEY.public])
    assert {fault.kind for fault in verdict.faults} == {FaultKind.MISSING}


def test_a_copy_of_before_shows_an_end_that_an_export_lacks(
    gallery: Gallery, tmp_path: Path
) -> None:
    enroll_some(gallery, 2)
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    export_of(gallery, old)
    enroll_some(gallery, 1)
    export_of(gallery, new)
    assert missing_in_file(ExportFile(new), ExportFile(old)) == []
    assert missing_in_file(ExportFile(old), ExportFile(new)) == [
        lines_of(gallery, action="identity.created")[-1].id
    ]


def _sign_and_prune(gallery: Gallery) -> Line:
    """Prune lines of a range that was signed, and sign the later ones; return the oldest left."""
    enroll_some(gallery)
    signer_of(gallery).sign()
    old = datetime.now(UTC)
    while datetime.now(UTC) < old + timedelta(milliseconds=3):
        pass
    enroll_some(gallery, 2)
    first = lines_of(gallery, action="identity.created")[-2]
    assert log_of(gallery).prune_before(first.at) > 0
    signer_of(gallery).sign()
    return first


def test_old_lines_go_and_an_export_is_whole_by_the_next_signature(
    gallery: Gallery, tmp_path: Path
) -> None:
    _sign_and_prune(gallery)
    path = tmp_path / "audit.jsonl"
    export_of(gallery, path)
    assert kinds(path, AUDIT_KEY) == set()
    assert verify(gallery.store, [AUDIT_KEY], [KEY.public]).faults == ()


def test_lines_that_were_made_up_before_the_first_signed_one_count_as_unsigned(
    gallery: Gallery, tmp_path: Path
) -> None:
    first = _sign_and_prune(gallery)
    path = tmp_path / "audit.jsonl"
    documents = export_of(gallery, path)
    before = verify_file(ExportFile(path), [], [KEY.public]).unsigned
    (oldest,) = [one for one in documents if one["id"] == first.id]
    made_up = [
        {**oldest, "id": f"{first.chain}-{number}", "sequence": number, "principal": "key 9"}
        for number in range(1, first.sequence)
        if not any(one["id"] == f"{first.chain}-{number}" for one in documents)
    ]
    assert made_up
    write(path, [*documents, *made_up])
    assert verify_file(ExportFile(path), [], [KEY.public]).unsigned == before + len(made_up)


def test_two_processes_sign_each_line_once(open_gallery: OpenGallery) -> None:
    galleries = [open_gallery() for _ in range(2)]
    for turn in range(4):
        enroll(galleries[turn % 2], unit_vector(turn + 1))
        signer_of(galleries[(turn + 1) % 2]).sign()
    verdict = verify(galleries[0].store, [AUDIT_KEY], [KEY.public])
    assert verdict.faults == ()
    assert len(lines_of(galleries[0], action="audit.signed")) == 4


def test_a_clock_that_was_set_back_is_marked_and_no_fault(gallery: Gallery) -> None:
    now = datetime.now(UTC)
    for at in (now, now + timedelta(hours=1), now + timedelta(minutes=2)):
        with gallery.store.database.writing() as session:
            note_in(session, Note(Action.FACE_ADDED, 9, at=at))
            gallery.store.database.journal.write(session)
    verdict = verify(gallery.store, [AUDIT_KEY])
    assert verdict.faults == ()
    assert [str(step) for step in verdict.clock_steps] == ["the clock went back by 3,480 s at 9-3"]


def test_the_key_is_made_once_and_its_public_key_is_read_from_pem(tmp_path: Path) -> None:
    key = load_signing_key(None, tmp_path)
    assert load_signing_key(None, tmp_path).public.id == key.public.id
    assert (tmp_path / "audit-signing.key").stat().st_mode & 0o077 == 0
    pem = tmp_path / "public.pem"
    pem.write_text(key.public.pem)
    public = read_public_key(pem)
    assert public.has_signed(b"text", key.sign(b"text"))
    assert not public.has_signed(b"other", key.sign(b"text"))
    assert not public.has_signed(b"text", "no base64")
