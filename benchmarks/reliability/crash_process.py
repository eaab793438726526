"""A process that does to the gallery all that the service does, without the networks.

It opens the database, the index and its snapshots as the service does at a start, reports whether
all is as it was acknowledged, and then runs a storm of its own until it is killed. Each line that
it writes to its pipe is one JSON object.
"""

import json
import os
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

import structlog

from app.errors import DatabaseUnavailable, IndexUnavailable, StartupError
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.journal.journal import Journal
from app.gallery.store.database import Database
from app.gallery.sync.database_snapshot_keys import DatabaseSnapshotKeys
from app.gallery.sync.index_sync import IndexSync, Sync
from app.gallery.sync.periodic import Periodic
from app.gallery.sync.snapshots import SnapshotStore
from app.gallery.vault.vault import Vault
from app.recognition.types import ModelId
from benchmarks.reliability.busy_server import BUSY
from benchmarks.reliability.crash_audit import AUDIT_KEY, check_audit
from benchmarks.reliability.crash_check import check
from benchmarks.reliability.crash_doors import GalleryDoor
from benchmarks.reliability.crash_ledger import DIMENSION, Ids, Kind, Ledger, done_line, tried_line
from benchmarks.reliability.crash_rows import check_rows, masters
from benchmarks.reliability.crash_storm import Storm

_MODEL = ModelId("crash-benchmark", "c" * 64, DIMENSION)
_TIMEOUT_S = 30.0
_CHECK_EVERY_S = 0.5
_BACK_WITHIN_S = 500.0
"""After a Milvus was killed: its own start waits for the sessions of the one before."""
_REPORTED = ("index_restored", "index_built", "index_uploaded", "milvus_back")
_WARNINGS = ("warning", "error", "exception", "critical")


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the process. `seed` None: only check. `survives`: the storm ends when the database
    goes away, or after `storm_s`, and this same process then checks once more. `encrypted`: below a
    master key. `milvus`: the URI of the Milvus that is the index."""

    url: str
    folder: Path
    ledger: Ledger
    seed: int | None
    survives: bool = False
    encrypted: bool = False
    milvus: str | None = None
    storm_s: float | None = None


def work(task: Task, pipe: Connection) -> None:
    """Run the process from beginning to end."""
    os.setpgid(0, 0)
    out = _Out(pipe.fileno(), task.ledger, encrypted=task.encrypted)
    structlog.configure(processors=[out.log])
    database = Database(task.url, timeout_s=_TIMEOUT_S)
    database.journal = Journal(lambda: AUDIT_KEY)
    if task.encrypted:
        database.vault = Vault(database, masters, is_on=True)
    gallery = Gallery(database, _sync(task, database), _MODEL)
    within_s = _TIMEOUT_S if task.milvus is None else _BACK_WITHIN_S
    _patiently(database.upgrade, within_s)
    _patiently(database.vault.prepare, within_s)
    _patiently(gallery.open, within_s)
    door = GalleryDoor(gallery)
    _patiently(lambda: out.verdict(door, gallery), within_s)
    if task.seed is None:
        gallery.close()
        return
    periodic = Periodic()
    periodic.follow(gallery.sync.follow, database, poll_s=BUSY.poll_s)
    sweep = partial(gallery.people.erase_expired, log_revisions=BUSY.log_revisions)
    periodic.every(BUSY.sweep_every_s, sweep, name="sweep")
    periodic.every(BUSY.snapshot_every_s, gallery.sync.save, name="snapshots")
    if task.milvus is not None:
        periodic.every(_CHECK_EVERY_S, gallery.sync.check, name="index check")
    storm = Storm(lambda: nullcontext(door), out, dict(task.ledger.living), task.seed)
    threads = storm.start()
    out.line({"what": "storm"})
    threads[0].join(task.storm_s)
    if task.storm_s is not None:
        storm.stop()
    for thread in threads:
        thread.join()
    if task.survives:
        _patiently(lambda: out.verdict(door, gallery), within_s)
    sleep(_TIMEOUT_S)


def _sync(task: Task, database: Database) -> Sync:
    if task.milvus is not None:
        # Here, because the client of Milvus is an optional package.
        from app.gallery.milvus.connection import Milvus  # noqa: PLC0415
        from app.gallery.milvus.milvus_sync import MilvusSync  # noqa: PLC0415

        return MilvusSync(database, Milvus(task.milvus))
    snapshots = SnapshotStore(task.folder / "index", DatabaseSnapshotKeys(database))
    return IndexSync(database, FaissIndex, snapshots=snapshots, snapshot_above=BUSY.snapshot_above)


class _Out:
    """The pipe. A line is one write of less than PIPE_BUF, so that a kill cuts none in two."""

    def __init__(self, handle: int, ledger: Ledger, *, encrypted: bool) -> None:
        self._handle = handle
        self._encrypted = encrypted
        self._ledger = ledger
        self._lock = Lock()

    def line(self, values: Mapping[str, Any]) -> None:
        os.write(self._handle, json.dumps(values).encode("utf-8") + b"\n")

    def tried(self, client: int, kind: Kind, people: tuple[int, ...]) -> None:
        with self._lock:
            os.write(self._handle, tried_line(client, kind, people))
            self._ledger.tried(client, kind, people)

    def done(self, client: int, ids: Ids) -> None:
        with self._lock:
            os.write(self._handle, done_line(client, ids))
            self._ledger.done(client, ids)

    def verdict(self, door: GalleryDoor, gallery: Gallery) -> None:
        found = check(door, self._ledger)
        check_audit(gallery, self._ledger, found)
        if self._encrypted:
            check_rows(gallery, DEFAULT_COLLECTION, found)
        self.line({"what": "verdict", **asdict(found), "present": list(found.present.items())})
        self._ledger.settle(found.present)

    def log(self, _logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        """Send the events that are counted, instead of writing a log."""
        if event["event"] in _REPORTED or level in _WARNINGS:
            cause = str(event.get("cause", ""))[:500]
            self.line({"what": "log", "event": event["event"], "cause": cause})
        raise structlog.DropEvent


def _patiently(action: Callable[[], None], within_s: float) -> None:
    """Wait for a database, or a Milvus, that is recovering."""
    gives_up = monotonic() + within_s
    while True:
        try:
            action()
        except (StartupError, DatabaseUnavailable, IndexUnavailable):
            if monotonic() > gives_up:
                raise
            sleep(0.05)
        else:
            return
