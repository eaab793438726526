"""Copies the audit log to another place as it grows, from where the copy was left.

Each line is delivered at least once, those of a chain in order. One process of a machine delivers
at a time; it notes in a file how far it has come, after the lines have arrived. A place that is
away holds up nothing else, and has its lines later.
"""

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Protocol

import structlog

from app.gallery.journal.chain import Line
from app.gallery.store.database import Database
from app.gallery.store.durable_files import flush_folder
from app.gallery.store.gallery_store import Store

_LINES_AT_ONCE = 1_000

_log = structlog.get_logger(__name__)


class Place(Protocol):
    """Where lines are delivered."""

    name: str
    """In metrics and logs."""
    again_s: float
    """When it fails, the lines of so many seconds before are delivered again: they may be lost."""

    def require_there(self) -> None:
        """Raises OSError when the place is known to be away."""
        ...

    def deliver(self, lines: Sequence[Line]) -> None:
        """Return when the lines have arrived, as far as can be known. Raises OSError."""
        ...

    def close(self) -> None: ...


class LineFollower:
    """Delivers new lines to a place; `position` is the file that notes how far."""

    def __init__(self, database: Database, place: Place, position: Path) -> None:
        self._store = Store(database)
        self._place = place
        self._position = position
        self._recent: deque[tuple[float, Mapping[str, int]]] = deque()
        """When lines were delivered, and the position before."""
        self.behind = 0
        """Lines that wait, as far as this process knows."""
        self.is_away = False

    @property
    def name(self) -> str:
        return self._place.name

    def follow(self) -> int:
        """Deliver the lines that are new; return how many. Does nothing while another process does.

        Blocks. Raises DatabaseUnavailable. A place that is away, or a position that cannot be
        written, is logged once, and tried again by the next call.
        """
        with self._turn() as is_ours:
            if not is_ours:
                self.behind = 0
                return 0
            return self._follow(self._read_position())

    def close(self) -> None:
        self._place.close()

    def _follow(self, done: dict[str, int]) -> int:
        count = 0
        chains = self._chains_behind(done)
        try:
            self._place.require_there()
            for chain in chains:
                while some := self._lines_after(chain, done.get(chain, 0)):
                    before = dict(done)
                    self._place.deliver(some)
                    self._remember(before)
                    done[chain] = some[-1].sequence
                    self._write_position(done)
                    count += len(some)
                    self.behind = max(0, self.behind - len(some))
        except OSError as error:
            self._note_away(error)
            self._step_back()
        else:
            self._note_back(count)
        return count

    def _chains_behind(self, done: dict[str, int]) -> list[str]:
        """Return the chains with lines to deliver, and step over lines that are gone."""
        lost = 0
        self.behind = 0
        chains: list[str] = []
        with self._store.reading_all() as collections:
            for ends in collections.audit.ends():
                chain = str(ends.chain)
                start = 0 if ends.start is None else ends.start.sequence
                # From the very beginning, there is nothing to miss.
                if chain in done and done[chain] < start:
                    lost += start - done[chain]
                    done[chain] = start
                if ends.head.sequence > done.get(chain, 0):
                    chains.append(chain)
                    self.behind += ends.head.sequence - max(done.get(chain, 0), start)
        if lost:
            _log.error("audit_copy_incomplete", copy=self.name, lines_deleted_before=lost)
        return chains

    def _lines_after(self, chain: str, sequence: int) -> list[Line]:
        # A transaction for each: none is open while a place takes its time.
        with self._store.reading_all() as collections:
            return list(islice(collections.audit.lines(int(chain), above=sequence), _LINES_AT_ONCE))

    def _remember(self, before: Mapping[str, int]) -> None:
        now = monotonic()
        self._recent.append((now, before))
        while self._recent[0][0] < now - self._place.again_s:
            self._recent.popleft()

    def _step_back(self) -> None:
        """Go back to before the lines of the last seconds, which may not have arrived."""
        since = monotonic() - self._place.again_s
        recent = [before for at, before in self._recent if at >= since]
        self._recent.clear()
        if recent:
            self._write_position(recent[0])

    def _note_away(self, error: OSError) -> None:
        if not self.is_away:
            _log.warning(
                "audit_copy_away", copy=self.name, cause=str(error), lines_waiting=self.behind
            )
        self.is_away = True

    def _note_back(self, count: int) -> None:
        if self.is_away:
            _log.info("audit_copy_back", copy=self.name, lines_delivered=count)
        self.is_away = False

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Whether it is this process that delivers, for as long as the block lasts."""
        self._position.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._position.with_suffix(".lock")
        with os.fdopen(os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _read_position(self) -> dict[str, int]:
        try:
            text = self._position.read_text(encoding="ascii")
            return {chain: int(sequence) for chain, sequence in json.loads(text).items()}
        except FileNotFoundError:
            return {}

    def _write_position(self, done: Mapping[str, int]) -> None:
        draft = self._position.with_name(f"{self._position.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(done, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._position)
        flush_folder(self._position.parent)
