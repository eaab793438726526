"""Rounds of a storm, a kill, and a look at what is left."""

import json
import os
import select
import signal
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe, get_context
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any, Final, Literal, get_args

from benchmarks.kit.servers import Server, until_killed
from benchmarks.kit.wire import AnswerError
from benchmarks.reliability import busy_server
from benchmarks.reliability.crash_check import Verdict, check
from benchmarks.reliability.crash_doors import HttpDoor
from benchmarks.reliability.crash_ledger import Ids, Kind, Ledger, record
from benchmarks.reliability.crash_process import Task, work
from benchmarks.reliability.crash_rows import MASTER
from benchmarks.reliability.crash_storm import Storm
from tests.kit.milvus_server import MilvusServer
from tests.kit.postgres import backends

_LATEST_KILL_S = 0.3
_LATEST_MILVUS_KILL_S = 0.8
"""Changes wait for Milvus, so a storm needs longer to have many."""
_MILVUS_STORM_S = 1.5
_OLD_DEAD = 50
"""People deleted in earlier rounds who are looked for in every round; at the end all are."""
_ANSWERS_WITHIN_S = 600
_NOTICED_WITHIN_S = 600
_SUPERVISED_EVERY_S = 5.0
_WORTH_COUNTING = ("index_restored", "index_built", "snapshot_not_used", "index_untrue")

SHORT_SESSIONS: dict[str, object] = {"common.session.ttl": 5}
"""Seconds that the sessions of a killed Milvus keep the next one waiting; 30 by default."""

_Side = Literal["gallery", "milvus", "both"]
_SIDES: Final[Sequence[_Side]] = get_args(_Side)

_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])  # imported once, not at every start


class _BusyServer(Server):
    script = busy_server.__file__


@dataclass(slots=True)
class Tally:
    """Counts on one kind of database."""

    kills: int = 0
    server_kills: int = 0
    backend_kills: int = 0
    milvus_kills: int = 0
    survivals: int = 0
    """Backend kills after which the gallery's process, which outlived them, was checked as well."""
    acknowledged: int = 0
    unanswered: int = 0
    looked_for: int = 0
    lost: int = 0
    resurrected: int = 0
    inconsistent: int = 0
    unaudited: int = 0
    unopened: int = 0
    events: Counter[str] = field(default_factory=Counter)
    """Events that the processes logged."""
    problems: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.looked_for += verdict.looked_for
        self.lost += verdict.lost
        self.resurrected += verdict.resurrected
        self.inconsistent += verdict.inconsistent
        self.unaudited += verdict.unaudited
        self.unopened += verdict.unopened
        self.problems += verdict.problems


@dataclass(slots=True)
class Rounds:
    """Rounds on one kind of database. `killed` is called after every kill. `encrypted`: below a
    master key. `milvus`: the index, which is killed as well."""

    tally: Tally
    random: Random
    killed: Callable[[], object]
    encrypted: bool = False
    milvus: MilvusServer | None = None

    def of_processes(self, url: str, folder: Path, kills: int, *, backend_every: int = 0) -> None:
        """Kill processes that open the gallery themselves; in one round of `backend_every`, unless
        it is 0, one of the database's own processes before that.

        With a Milvus, kill the process in one round, Milvus in the next one, then both. A process
        whose database or Milvus was killed has to answer again, by itself, as it was acknowledged.
        """
        ledger = Ledger()
        buried: Ids = {}
        for number in range(1, kills + 1):
            side = "gallery" if self.milvus is None else _SIDES[number % len(_SIDES)]
            of_backend = backend_every > 0 and number % backend_every == 0 and side == "gallery"
            survives = of_backend or side == "milvus"
            child = _Child(self._task(url, folder, ledger, seed=number, survives=survives))
            try:
                self._await(child, ledger, "verdict")
                buried |= ledger.dead
                ledger.dead = self._some(buried)
                self._await(child, ledger, "storm")
                self._follow(child, ledger, self.random.uniform(0, self._latest_kill_s))
                if of_backend:
                    self._kill_backend(url)
                if side != "gallery":
                    self._kill_milvus(child, ledger, side)
                if survives:
                    noticed = self._follow(child, ledger, _NOTICED_WITHIN_S, until="verdict")
                    self.tally.survivals += noticed
                    if side == "milvus" and not noticed:
                        raise RuntimeError("the gallery does not answer again after Milvus")
            finally:
                child.kill()
            self._follow(child, ledger, _ANSWERS_WITHIN_S)
            self._was_killed(ledger)
        ledger.dead |= buried
        child = _Child(self._task(url, folder, ledger, seed=None))
        self._await(child, ledger, "verdict")
        child.kill()
        self.tally.acknowledged += ledger.acknowledged

    def of_servers(self, folder: Path, kills: int, **variables: str) -> None:
        """Kill `vultus serve`, whose clients speak HTTP."""
        if kills == 0:
            return
        ledger = Ledger()
        if self.milvus is not None:
            variables["VULTUS_INDEX__MILVUS_URI"] = self.milvus.uri
        if self.encrypted:
            variables["VULTUS_MASTER_KEY"] = b64encode(MASTER).decode("ascii")
        for number in range(1, kills + 1):
            with until_killed(_BusyServer(folder, **variables)) as server:
                self._look(server, ledger)
                threads = _storm(server, ledger, number).start()
                time.sleep(self.random.uniform(0, _LATEST_KILL_S))
                server.kill()
            for thread in threads:
                thread.join()
            self.tally.server_kills += 1
            self._was_killed(ledger)
        with until_killed(_BusyServer(folder, **variables)) as server:
            self._look(server, ledger)
            self.tally.events += _logged(server.log)
        self.tally.acknowledged += ledger.acknowledged

    def _await(self, child: "_Child", ledger: Ledger, what: str) -> None:
        """Enter the lines of the process up to one of this kind. Raises RuntimeError if it ends."""
        if not self._follow(child, ledger, _ANSWERS_WITHIN_S, until=what):
            raise RuntimeError(f"the process did not get as far as its {what}")

    def _follow(
        self, child: "_Child", ledger: Ledger, seconds: float, *, until: str | None = None
    ) -> bool:
        """Enter the lines of the process for some time, or up to one of the kind `until`; return
        whether there was one."""
        entries = self._supervised(child, seconds) if until == "verdict" else child.entries(seconds)
        for entry in entries:
            match entry["what"]:
                case "log":
                    self.tally.events[entry["event"]] += 1
                case "verdict":
                    verdict = Verdict(**_without_what(entry))
                    self.tally.add(verdict)
                    ledger.settle(verdict.present)
                case "tried" | "done":
                    record(ledger, entry)
            if entry["what"] == until:
                return True
        return False

    def _supervised(self, child: "_Child", seconds: float) -> Iterator[dict[str, Any]]:
        """Lines of the process. Meanwhile Milvus is started again if it ended by itself.

        It does that where a machine is so busy that its sessions expire.
        """
        gives_up = time.monotonic() + seconds
        while (left := gives_up - time.monotonic()) > 0 and not child.has_ended:
            yield from child.entries(min(left, _SUPERVISED_EVERY_S))
            if self.milvus is not None and self.milvus.has_ended():
                self.milvus.start(ready=False)
                self.tally.events["Milvus had ended by itself"] += 1

    def _task(
        self,
        url: str,
        folder: Path,
        ledger: Ledger,
        *,
        seed: int | None,
        survives: bool = False,
    ) -> Task:
        if self.milvus is None:
            return Task(url, folder, ledger, seed, survives, self.encrypted)
        storm_s = _MILVUS_STORM_S if survives else None
        return Task(url, folder, ledger, seed, survives, self.encrypted, self.milvus.uri, storm_s)

    @property
    def _latest_kill_s(self) -> float:
        return _LATEST_KILL_S if self.milvus is None else _LATEST_MILVUS_KILL_S

    def _kill_milvus(self, child: "_Child", ledger: Ledger, side: _Side) -> None:
        """Kill Milvus, for `both` the process a moment before or after it, and start Milvus."""
        assert self.milvus is not None
        pause_s = self.random.uniform(0, _LATEST_KILL_S)
        if side == "both" and self.random.random() < 0.5:
            child.kill()
            time.sleep(pause_s)
        self.milvus.kill()
        self.tally.milvus_kills += 1
        self._follow(child, ledger, pause_s)
        if side == "both":
            child.kill()
        self.milvus.start(ready=False)

    def _kill_backend(self, url: str) -> None:
        os.kill(self.random.choice(backends(url)), signal.SIGKILL)
        self.tally.backend_kills += 1

    def _was_killed(self, ledger: Ledger) -> None:
        self.tally.kills += 1
        self.tally.unanswered += len(ledger.open)
        self.killed()

    def _look(self, server: Server, ledger: Ledger) -> None:
        gives_up = time.monotonic() + _ANSWERS_WITHIN_S
        while True:
            try:
                with closing(HttpDoor(server.port)) as door:
                    verdict = check(door, ledger)
                break
            except AnswerError:  # a search was answered 503, as Milvus took too long
                if self.milvus is None or time.monotonic() > gives_up:
                    raise
            time.sleep(1)
        self.tally.add(verdict)
        ledger.settle(verdict.present)

    def _some(self, buried: Ids) -> Ids:
        return dict(self.random.sample(sorted(buried.items()), min(_OLD_DEAD, len(buried))))


class _Child:
    """A process that runs `work`, and the lines that it sends."""

    def __init__(self, task: Task) -> None:
        self._reader, writer = Pipe(duplex=False)
        self._process = _processes.Process(target=work, args=(task, writer))
        self._process.start()
        writer.close()  # the process has the only other end, so that its end is the pipe's
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self.has_ended = False
        """Whether all its lines were read, and there are no more."""

    def entries(self, seconds: float) -> Iterator[dict[str, Any]]:
        """Lines that it sends within this time, or until it has ended."""
        until = time.monotonic() + seconds
        handle = self._reader.fileno()
        while True:
            while self._lines:  # a caller that stopped listening in between goes on here
                yield json.loads(self._lines.popleft())
            left = until - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                return
            data = os.read(handle, 65_536)
            if not data:
                self.has_ended = True
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines.extend(lines)

    def kill(self) -> None:
        pid = self._process.pid
        assert pid  # 0 would be this process's own group
        with suppress(ProcessLookupError):  # it has ended by itself, or not begun
            os.killpg(pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()


class _Report:
    """The clients of a server are threads of this process: they write into the ledger itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = Lock()

    def tried(self, client: int, kind: Kind, people: tuple[int, ...]) -> None:
        with self._lock:
            self._ledger.tried(client, kind, people)

    def done(self, client: int, ids: Ids) -> None:
        with self._lock:
            self._ledger.done(client, ids)


def _storm(server: Server, ledger: Ledger, number: int) -> Storm:
    return Storm(
        lambda: closing(HttpDoor(server.port)), _Report(ledger), dict(ledger.living), number
    )


def _logged(log: Path) -> Counter[str]:
    """Events of the server's log that are worth counting."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8").splitlines():
        for event in _WORTH_COUNTING:
            found[event] += f'"event": "{event}"' in line
    return +found


def _without_what(entry: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in entry.items() if name != "what"}
    return {**found, "present": {int(person): name for person, name in entry["present"]}}
