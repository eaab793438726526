"""Signs the heads of the chains, now and then and before an export.

A signature is a line of the log itself, so that it reaches exports, the file and syslog as all
lines do. Whoever has the public key and such a copy sees when the end of a chain was cut off.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice

from app.gallery.journal.actions import Action
from app.gallery.journal.journal import NoJournal
from app.gallery.journal.signed_ranges import (
    RangeDigest,
    SignedRange,
    signed_bytes,
    signed_details,
)
from app.gallery.journal.signing_key import PublicKey, SigningKey
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.signed_head_repository import Unsigned
from app.gallery.store.transaction import Collections

_LINES_AT_ONCE = 10_000
_CHAINS_AT_ONCE = 100


class HeadSigner:
    """All methods block."""

    def __init__(self, database: Database, key: Callable[[], SigningKey]) -> None:
        self._store = Store(database)
        self._load_key = key

    @property
    def public_key(self) -> PublicKey:
        """Return the key that checks the signatures."""
        return self._key.public

    @cached_property
    def _key(self) -> SigningKey:
        return self._load_key()

    def sign(self) -> int:
        """Sign what is not signed; return the number of lines.

        Raises StartupError when the key cannot be read.
        """
        if isinstance(self._store.database.journal, NoJournal):
            return 0
        count = 0
        while found := self._unsigned_ranges():
            if self._write(found):
                count += sum(one.sequence - one.after for _, one in found)
        return count

    def sign_if_many(self, lines: int) -> int:
        """Sign if so many lines are not signed."""
        with self._store.reading_all() as collections:
            waiting = collections.signed_heads.count_lines()
        return self.sign() if waiting >= lines else 0

    def _unsigned_ranges(self) -> list[tuple[Unsigned, SignedRange]]:
        with self._store.reading_all() as collections:
            unsigned = collections.signed_heads.unsigned(most=_CHAINS_AT_ONCE)
            return [(one, _range_of(collections, one)) for one in unsigned]

    def _write(self, found: list[tuple[Unsigned, SignedRange]]) -> bool:
        """Write a signature; False when another process has signed some of it meanwhile."""
        key = self._key
        at = datetime.now(UTC)
        ranges = [signed for _, signed in found]
        details = signed_details(
            at, ranges, key=key.public.id, signature=key.sign(signed_bytes(at, ranges))
        )
        try:
            with self._store.writing_all() as collections:
                for was, signed in found:
                    _require_first(collections.signed_heads.advance(was, signed.sequence))
                collections.note(Action.AUDIT_SIGNED, None, **details)
        except _SignedMeanwhileError:
            return False
        return True


class _SignedMeanwhileError(Exception):
    """Undoes the transaction."""


def _require_first(is_first: bool) -> None:
    if not is_first:
        raise _SignedMeanwhileError


def _range_of(collections: Collections, one: Unsigned) -> SignedRange:
    digest = RangeDigest()
    last, mac = one.after, ""
    lines = collections.audit.lines(one.chain, above=one.after)
    for line in islice(lines, min(_LINES_AT_ONCE, one.sequence - one.after)):
        digest.add(line)
        last, mac = line.sequence, line.mac
    return SignedRange(one.chain, one.start, one.after, last, mac, digest.hex)
