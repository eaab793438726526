"""`vultus audit`. It loads no network."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import typer

from app.api.schemas.audit import AuditPage
from app.cli.open_database import open_database
from app.cli.output import print_line, show
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.chain import Line, line_document
from app.gallery.journal.head_signer import HeadSigner
from app.gallery.journal.opening import audit_key_of, signing_key_of
from app.gallery.records import Page
from app.gallery.store.database import Database
from app.gallery.store.repositories.audit_repository import LineFilter
from app.observe.plain_text import plain_json
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """The lines that options choose."""

    collection: str | None = None
    identity: str | None = None
    since: str | None = None
    until: str | None = None

    def wanted(self) -> LineFilter:
        return LineFilter(
            collection=self.collection,
            identity_id=self.identity,
            since=_moment(self.since, "--since"),
            until=_moment(self.until, "--until"),
        )


def list_(choice: Choice, limit: int, *, as_json: bool) -> None:
    """List lines, newest first."""
    with _opened() as log:
        lines = tuple(islice(log.newest_first(choice.wanted()), limit))
    show(AuditPage.of(Page(lines, None)), *map(_text, lines), as_json=as_json)


def export(file: Path, choice: Choice) -> None:
    """Write lines as JSON Lines."""
    with open_database(upgrade=False) as (settings, database):
        if choice == Choice():
            HeadSigner(database, partial(signing_key_of, settings)).sign()
        lines = _log_of(settings, database).newest_first(choice.wanted())
        if str(file) == "-":
            _write(sys.stdout, lines)
            return
        with file.open("w", encoding="utf-8") as out:
            count = _write(out, lines)
    print_line(f"{file}: {count:,} lines")


def _text(line: Line) -> str:
    """One line, without what only a program reads."""
    moment = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    about = line.collection or "-", line.identity_id or "-"
    return "  ".join((moment, line.principal, line.action, *about, line.outcome))


def _write(out: TextIO, lines: Iterator[Line]) -> int:
    count = 0
    for line in lines:
        out.write(plain_json(line_document(line)) + "\n")
        count += 1
    return count


@contextmanager
def _opened() -> Iterator[AuditLog]:
    with open_database(upgrade=False) as (settings, database):
        yield _log_of(settings, database)


def _log_of(settings: Settings, database: Database) -> AuditLog:
    return AuditLog(database, partial(audit_key_of, settings))


def _moment(text: str | None, option: str) -> datetime | None:
    """Parse a moment; one without a time zone is in UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option}: {text} is no moment as 2026-01-31T08:00:00Z"
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
