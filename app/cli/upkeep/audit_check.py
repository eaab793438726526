"""`vultus audit verify`, `sign` and `key`. They load no network."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from app.cli.configuration import settings_of_command
from app.cli.open_database import open_database
from app.cli.output import errors, finish, print_line, show
from app.gallery.journal.earlier_export import missing_lines
from app.gallery.journal.export_file import ExportFile, missing_in_file, verify_file
from app.gallery.journal.faults import Verdict
from app.gallery.journal.head_signer import HeadSigner
from app.gallery.journal.opening import audit_keys_of, public_keys_of, signing_key_of
from app.gallery.journal.signing_key import read_public_key
from app.gallery.journal.verification import verify as verify_chains
from app.gallery.store.gallery_store import Store


def verify(against: Path | None, *, as_json: bool) -> None:
    """Check all lines of the database, and those of an earlier export."""
    with open_database(upgrade=False) as (settings, database):
        store = Store(database)
        public_keys = public_keys_of(settings) if settings.audit.enabled else []
        verdict = verify_chains(store, audit_keys_of(settings), public_keys)
        gone = [] if against is None else missing_lines(store, against)
    _show(verdict, gone, as_json=as_json)


def verify_export(
    path: Path, against: Path | None, public_keys: Sequence[Path], *, as_json: bool
) -> None:
    """Check the lines of a file: by public keys alone, or by the keys of this service."""
    file = ExportFile(path)
    if public_keys:
        verdict = verify_file(file, [], [read_public_key(key) for key in public_keys])
    else:
        settings = settings_of_command()
        verdict = verify_file(file, audit_keys_of(settings), public_keys_of(settings))
    gone = [] if against is None else missing_in_file(file, ExportFile(against))
    _show(verdict, gone, as_json=as_json)


def sign(*, as_json: bool) -> None:
    """Sign what is not signed."""
    with open_database(upgrade=False) as (settings, database):
        count = HeadSigner(database, partial(signing_key_of, settings)).sign()
    show({"lines": count}, f"{count:,} lines signed", as_json=as_json)


def key(*, as_json: bool) -> None:
    """Print the public key."""
    public = signing_key_of(settings_of_command()).public
    show({"id": public.id, "public_key": public.pem}, *public.pem.splitlines(), as_json=as_json)


def _show(verdict: Verdict, gone: Sequence[str], *, as_json: bool) -> None:
    faults = [str(fault) for fault in verdict.faults]
    faults += [f"exported before, and not there as it was: {line}" for line in gone]
    marks = [str(step) for step in verdict.clock_steps]
    answer = {
        "whole": not faults,
        "lines": verdict.lines,
        "chains": verdict.chains,
        "unsigned": verdict.unsigned,
        "faults": faults,
        "clock_steps": marks,
        "signed": [asdict(one) for one in verdict.signed],
    }
    text = f"{verdict.lines:,} lines in {verdict.chains:,} chains"
    unsigned = f", {verdict.unsigned:,} not signed yet" if verdict.unsigned else ""
    signed = map(str, verdict.signed)
    show(answer, *marks, *signed, *(faults or [f"{text}: whole{unsigned}"]), as_json=as_json)
    if faults and not as_json:
        print_line(f"{text}: {len(faults):,} faults", errors)
    finish(complete=not faults)
