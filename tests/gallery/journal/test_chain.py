"""Every change has its line, and a line that is missing or altered shows."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select, update

from app.errors import ExternalIdTaken, InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action, Note
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.chain import AuditKey, Line, line_document
from app.gallery.journal.earlier_export import missing_lines
from app.gallery.journal.faults import FaultKind, Verdict
from app.gallery.journal.journal import note_in
from app.gallery.journal.verification import verify
from app.gallery.records import NewIdentity, PeopleFilter
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.tables import AuditHeadTable, AuditLineTable
from app.observe.acting import Actor, acting
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, at_once, enroll, new_face, unit_vector
from tests.gallery.journal.required_lines import AUDIT_KEY

_NAME = "Ada Lovelace"
_EXTERNAL_ID = "emp-1815"


def log_of(gallery: Gallery) -> AuditLog:
    return AuditLog(gallery.store.database, lambda: AUDIT_KEY)


def lines_of(gallery: Gallery, **wanted: object) -> list[Line]:
    """Lines, oldest first."""
    found = log_of(gallery).newest_first(LineFilter(**wanted))  # type: ignore[arg-type]
    return list(found)[::-1]


def check(gallery: Gallery, *keys: AuditKey) -> Verdict:
    return verify(gallery.store, keys or (AUDIT_KEY,))


def change(gallery: Gallery, sql: object) -> None:
    """Change the tables of the log as somebody does who has the database, and not the key."""
    with gallery.store.database.writing() as session:
        session.execute(sql)  # type: ignore[call-overload]


def enroll_some(gallery: Gallery, count: int = 5) -> None:
    for seed in range(count):
        enroll(gallery, unit_vector(seed + 1))


def test_a_change_has_a_line_with_who_where_and_whom(gallery: Gallery) -> None:
    with acting(Actor("key 7", "request-1", "10.0.0.9")):
        identity, faces = enroll(gallery, unit_vector(1))
    (line,) = lines_of(gallery, identity_id=identity.id)
    assert (line.action, line.principal) == ("identity.created", "key 7")
    assert (line.request_id, line.address) == ("request-1", "10.0.0.9")
    assert (line.collection, line.outcome) == (COLLECTION, "done")
    assert json.loads(line.details) == {"face_ids": list(faces)}


def test_lines_hold_no_names_and_no_embeddings(gallery: Gallery) -> None:
    new = NewIdentity(name=_NAME, external_id=_EXTERNAL_ID, attributes={"phone": "no. 555-0199"})
    identity, _ = gallery.people.enroll(COLLECTION, new, [new_face(unit_vector(1))])
    other, _ = enroll(gallery, unit_vector(2), name=_NAME)
    gallery.corrections.merge(COLLECTION, f"ext:{_EXTERNAL_ID}", [other.id])
    gallery.people.delete(COLLECTION, identity.id)
    texts = " ".join(json.dumps(line_document(line)) for line in lines_of(gallery))
    assert identity.id in texts
    for secret in (_NAME, _EXTERNAL_ID, "555-0199", unit_vector(1).tobytes().hex()):
        assert secret not in texts


def test_a_receipt_is_the_lines_of_the_people_erased(gallery: Gallery) -> None:
    people = [enroll(gallery, unit_vector(seed))[0].id for seed in (1, 2)]
    wanted = PeopleFilter(identity_ids=tuple(people))
    done = gallery.corrections.delete_people(COLLECTION, wanted, confirmed=2)
    assert done.erasure is not None
    lines = lines_of(gallery, receipt_id=done.erasure.receipt_id)
    assert [(line.action, line.identity_id) for line in lines] == [
        ("identity.erased", identity_id) for identity_id in people
    ]


def test_a_change_that_is_undone_has_no_line(gallery: Gallery) -> None:
    gallery.people.enroll(COLLECTION, NewIdentity(external_id="1"), [])
    before = check(gallery)
    with pytest.raises(ExternalIdTaken):
        gallery.people.enroll(COLLECTION, NewIdentity(external_id="1"), [])
    assert check(gallery) == before


def test_the_chain_holds_when_several_processes_write(open_gallery: OpenGallery) -> None:
    galleries = [open_gallery() for _ in range(3)]
    for name in ("a", "b"):
        galleries[0].collections.create(name, None)

    def enroll_many(gallery: Gallery, seed: int) -> None:
        for turn in range(8):
            name = ("a", "b")[turn % 2]
            enroll(gallery, unit_vector(100 * seed + turn), collection=name)

    at_once([partial(enroll_many, gallery, seed) for seed, gallery in enumerate(galleries)])
    verdict = check(galleries[0])
    assert verdict.faults == ()
    assert len(lines_of(galleries[0], action="identity.created")) == 24
    numbers = {line.chain for line in lines_of(galleries[0], action="identity.created")}
    assert len(numbers) == 2


def test_lines_that_are_undone_after_they_were_chained_leave_the_chain_whole(
    gallery: Gallery,
) -> None:
    enroll_some(gallery, 1)
    chain = lines_of(gallery)[-1].chain
    database = gallery.store.database
    with database.writing() as session:
        note_in(session, Note(Action.FACE_ADDED, chain))
        database.journal.write(session)
        session.rollback()  # in place of a commit that fails
    enroll_some(gallery, 1)
    assert check(gallery).faults == ()
    assert not lines_of(gallery, action="face.added")


def test_a_head_is_moved_in_one_statement_unless_another_process_has_moved_it(
    open_gallery: OpenGallery,
) -> None:
    galleries = [open_gallery() for _ in range(2)]
    statements: list[str] = []
    for gallery in galleries:

        @event.listens_for(gallery.store.database.engine, "before_cursor_execute")
        def note(_: object, __: object, statement: str, *___: object) -> None:
            if "audit_" in statement:
                statements.append(statement)

    def count_for(gallery: Gallery, seed: int) -> int:
        statements.clear()
        enroll(gallery, unit_vector(seed))
        return len(statements)

    one, other = galleries
    enroll(one, unit_vector(1))
    hit = count_for(one, 2)
    enroll(other, unit_vector(3))
    assert hit == (1 if one.store.database.dialect == "postgresql" else 2)
    assert count_for(one, 4) == hit + 1
    assert check(one).faults == ()


def test_many_lines_of_one_transaction_are_chained_in_their_order(gallery: Gallery) -> None:
    database = gallery.store.database
    ids = [str(number) for number in range(150)]
    with database.writing() as session:
        for number in ids:
            note_in(session, Note(Action.FACE_ADDED, 7, identity_id=number))
        database.journal.write(session)
    assert [line.identity_id for line in lines_of(gallery, action="face.added")] == ids
    assert check(gallery).faults == ()


_LINE = AuditLineTable
_TAMPERING: Mapping[str, tuple[Callable[[], object], FaultKind]] = {
    "another principal": (
        lambda: update(_LINE).where(_LINE.sequence == 3).values(principal="key 9"),
        FaultKind.ALTERED,
    ),
    "another moment": (
        lambda: (
            update(_LINE).where(_LINE.sequence == 3).values(at=datetime(2020, 1, 1, tzinfo=UTC))
        ),
        FaultKind.ALTERED,
    ),
    "other details": (
        lambda: update(_LINE).where(_LINE.sequence == 3).values(details="{}"),
        FaultKind.ALTERED,
    ),
    "one of the middle": (lambda: delete(_LINE).where(_LINE.sequence == 3), FaultKind.MISSING),
    "the first": (lambda: delete(_LINE).where(_LINE.sequence == 1), FaultKind.MISSING),
    "the last": (lambda: delete(_LINE).where(_LINE.sequence >= 5), FaultKind.MISSING),
    "all": (lambda: delete(_LINE), FaultKind.MISSING),
    "a head": (lambda: delete(AuditHeadTable), FaultKind.NO_HEAD),
}


@pytest.mark.parametrize("what", _TAMPERING)
def test_tampering_shows(gallery: Gallery, what: str) -> None:
    enroll_some(gallery)
    assert check(gallery).faults == ()
    statement, kind = _TAMPERING[what]
    change(gallery, statement())
    assert kind in {fault.kind for fault in check(gallery).faults}


def test_an_exchange_of_two_lines_shows(gallery: Gallery) -> None:
    enroll_some(gallery)
    for one, other in ((2, -1), (3, 2), (-1, 3)):
        change(gallery, update(_LINE).where(_LINE.sequence == one).values(sequence=other))
    assert {fault.kind for fault in check(gallery).faults} == {FaultKind.ALTERED}


def test_an_end_that_is_cut_off_with_its_head_shows(gallery: Gallery) -> None:
    enroll_some(gallery)
    line = lines_of(gallery)[3]
    change(gallery, delete(_LINE).where(_LINE.chain == line.chain, _LINE.sequence > line.sequence))
    forged = update(AuditHeadTable).where(AuditHeadTable.chain == line.chain)
    change(gallery, forged.values(sequence=line.sequence, mac=line.mac))
    assert {fault.kind for fault in check(gallery).faults} == {FaultKind.NO_HEAD}


def test_a_database_that_was_set_back_shows_against_an_export(
    gallery: Gallery, tmp_path: Path
) -> None:
    enroll_some(gallery, 2)
    with gallery.store.database.reading() as session:
        heads = [dict(row._mapping) for row in session.execute(select(AuditHeadTable.__table__))]
    enroll_some(gallery, 1)
    newest = lines_of(gallery)[-1]
    export = tmp_path / "audit.jsonl"
    export.write_text("\n".join(json.dumps(line_document(line)) for line in lines_of(gallery)))
    assert missing_lines(gallery.store, export) == []
    # As a backup of the tables has it: lines and heads of before.
    change(gallery, delete(_LINE).where(_LINE.number == _number_of(gallery, newest)))
    for head in heads:
        row = update(AuditHeadTable).where(AuditHeadTable.chain == head["chain"])
        change(gallery, row.values(**head))
    assert check(gallery).faults == ()
    assert missing_lines(gallery.store, export) == [newest.id]


def _number_of(gallery: Gallery, line: Line) -> int:
    with gallery.store.database.reading() as session:
        query = select(_LINE.number).where(_LINE.mac == line.mac)
        return session.execute(query).scalar_one()


def test_a_file_that_is_no_export_is_refused(gallery: Gallery, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text('{"chain": 1}\n')
    with pytest.raises(InvalidRequest, match="cannot be read as an export"):
        missing_lines(gallery.store, file)


def test_lines_by_another_key_cannot_be_checked_without_it(gallery: Gallery) -> None:
    enroll_some(gallery, 1)
    other = AuditKey(b"o" * 32)
    assert {fault.kind for fault in check(gallery, other).faults} == {FaultKind.OTHER_KEY}
    assert check(gallery, other, AUDIT_KEY).faults == ()


def test_old_lines_go_and_the_rest_is_still_whole(gallery: Gallery) -> None:
    enroll_some(gallery)
    old = datetime.now(UTC) + timedelta(milliseconds=5)
    while datetime.now(UTC) < old:
        pass
    enroll_some(gallery, 2)
    lines = lines_of(gallery)
    gone = log_of(gallery).prune_before(lines[-2].at)
    assert gone == len(lines) - 2
    left = lines_of(gallery)
    assert left[0] == lines[-2]
    assert {line.action for line in left[2:]} == {"audit.pruned"}
    assert check(gallery).faults == ()
    change(gallery, delete(_LINE).where(_LINE.number == _number_of(gallery, left[0])))
    assert {fault.kind for fault in check(gallery).faults} == {FaultKind.MISSING}


def test_a_beginning_that_was_never_pruned_shows(gallery: Gallery) -> None:
    enroll_some(gallery)
    line = lines_of(gallery)[2]
    change(gallery, delete(_LINE).where(_LINE.chain == line.chain, _LINE.sequence <= line.sequence))
    forged = update(AuditHeadTable).where(AuditHeadTable.chain == line.chain)
    values = {"pruned_sequence": line.sequence, "pruned_mac": line.mac, "pruned_seal": line.mac}
    change(gallery, forged.values(**values, pruned_key_id=AUDIT_KEY.id))
    assert FaultKind.NO_HEAD in {fault.kind for fault in check(gallery).faults}


def test_pages_of_lines_are_complete(gallery: Gallery) -> None:
    enroll_some(gallery)
    log = log_of(gallery)
    page = log.page(LineFilter(), limit=2, cursor=None)
    found = list(page.items)
    while page.next_cursor is not None:
        page = log.page(LineFilter(), limit=2, cursor=page.next_cursor)
        found += page.items
    assert found[::-1] == lines_of(gallery)
