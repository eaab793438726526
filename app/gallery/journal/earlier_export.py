"""Compare the audit log with an earlier export: the end of a chain cannot be cut off unseen."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from app.errors import InvalidRequest
from app.gallery.store.gallery_store import Store

_AT_ONCE = 500


def missing_lines(store: Store, file: Path) -> list[str]:
    """Return the ids of the lines of an export that are not in the log as they were exported.

    Lines that the retention has deleted are passed over. Raises InvalidRequest when the file is no
    export.
    """
    missing: list[str] = []
    with store.reading_all() as collections:
        audit = collections.audit
        pruned = {one.chain: one.start.sequence for one in audit.ends() if one.start is not None}
        exported = _exported(file)
        while some := list(islice(exported, _AT_ONCE)):
            there = audit.macs_of({(chain, sequence) for chain, sequence, _ in some})
            missing += [
                f"{chain}-{sequence}"
                for chain, sequence, mac in some
                if sequence > pruned.get(chain, 0) and there.get((chain, sequence)) != mac
            ]
    return missing


def _exported(file: Path) -> Iterator[tuple[int, int, str]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for text in lines:
                line = json.loads(text)
                yield int(line["chain"]), int(line["sequence"]), str(line["mac"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRequest(
            f"{file} cannot be read as an export of the audit log ({error})"
        ) from error
