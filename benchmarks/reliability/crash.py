"""Kill the service again and again while it writes, and check what it had acknowledged.

    python -m benchmarks crash [--kills 200] [--server-kills 10] [--seed 0] [--clear] [--quick]
    python -m benchmarks crash --milvus [--kills 60] [--server-kills 4]

Four clients enroll and delete people as fast as they are answered. At a random moment, 0 to 300 ms
later, everything that serves them is killed with SIGKILL. The next process opens what is left (the
index's snapshot, the log, the database), and must find all people whose enrolment was acknowledged,
none whose deletion was, and of a request that was not answered either all or nothing.

Half of it is on SQLite, half on PostgreSQL. Most kills hit a process that does all that the service
does to the gallery (transactions, index, snapshots every 20 ms, sweeps) but loads no networks, so
that it starts at once; `--server-kills` of them hit `vultus serve` with clients over HTTP. On a
PostgreSQL that was started here every tenth round first kills one of its own processes, upon which
it ends all others and recovers; the process of the gallery outlives that, and is looked at as well.

With `--milvus` the index is a Milvus server, which is started here (the package `milvus`), and each
kill is of the process of the gallery, of Milvus, or of both, one of each in turn; `--server-kills`
are of `vultus serve`. Where Milvus is killed alone, the gallery that lives on must find by itself
that it is back, and have it as the database is. Its sessions last 5 s instead of 30 s, which is how
long a start after a kill takes.

The audit log is on, and the gallery is encrypted below a master key, unless `--clear` is given: at
each look the chains are checked, each change must have its line, and each row must open.

A kill loses what a process had not handed to the system. A power cut also loses what the system had
not written yet; that is not tried here.
"""

import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from rich.progress import Progress

from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.reliability.crash_rounds import SHORT_SESSIONS, Rounds, Tally
from tests.kit.milvus_server import WITHOUT_MILVUS, MilvusServer, milvus_server
from tests.kit.postgres import PostgresServer, new_postgres_database, postgres_server

_BACKEND_EVERY = 10
_PROBLEMS = 20


def main() -> None:
    parser = benchmark_parser(__doc__, quick="40 kills, 2 of them of vultus serve")
    parser.add_argument("--kills", type=int, help="in all (default 200; with --milvus 60)")
    parser.add_argument("--server-kills", type=int, help="of them, of vultus serve (10; 4)")
    parser.add_argument("--milvus", action="store_true", help="with a Milvus server as the index")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clear", action="store_true", help="without encryption")
    options = parse_options(parser)
    kills, of_servers = _kills(options)
    of_processes = kills - of_servers
    print_machine()
    started = time.monotonic()
    random = Random(options.seed)
    sqlite, postgresql = Tally(), Tally()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_server())
        milvus = _milvus(stack, scratch) if options.milvus else None
        progress = stack.enter_context(Progress(console=console))
        bar = progress.add_task("kills", total=kills)

        def rounds(tally: Tally) -> Rounds:
            def killed() -> None:
                progress.advance(bar)

            return Rounds(tally, random, killed, encrypted=not options.clear, milvus=milvus)

        _kill_on_sqlite(rounds(sqlite), scratch, of_processes // 2, of_servers - of_servers // 2)
        _kill_on_postgresql(
            rounds(postgresql),
            server,
            scratch,
            of_processes - of_processes // 2,
            of_servers // 2,
        )
    _report(
        sqlite,
        postgresql,
        seconds=time.monotonic() - started,
        packaged=server.packaged,
        encrypted=not options.clear,
    )


def _kills(options: Namespace) -> tuple[int, int]:
    """How many in all, and how many of them of `vultus serve`."""
    if options.smoke:
        return 3, 1
    if options.quick:
        return 40, 2
    kills, of_servers = (60, 4) if options.milvus else (200, 10)
    return (
        kills if options.kills is None else options.kills,
        of_servers if options.server_kills is None else options.server_kills,
    )


def _milvus(stack: ExitStack, scratch: Path) -> MilvusServer:
    if WITHOUT_MILVUS is not None:
        raise SystemExit(f"--milvus: {WITHOUT_MILVUS}")
    return stack.enter_context(milvus_server(scratch / "milvus", SHORT_SESSIONS))


def _kill_on_sqlite(rounds: Rounds, scratch: Path, of_processes: int, of_servers: int) -> None:
    folder = scratch / "sqlite"
    folder.mkdir()
    rounds.of_processes(f"sqlite:///{folder / 'gallery.db'}", folder, of_processes)
    rounds.of_servers(scratch / "sqlite-served", of_servers)


def _kill_on_postgresql(
    rounds: Rounds, server: PostgresServer, scratch: Path, of_processes: int, of_servers: int
) -> None:
    every = _BACKEND_EVERY if server.packaged else 0
    with new_postgres_database(server.url) as url:
        rounds.of_processes(url, scratch / "postgresql", of_processes, backend_every=every)
    with new_postgres_database(server.url) as url:
        folder = scratch / "postgresql-served"
        rounds.of_servers(folder, of_servers, VULTUS_DATABASE_URL=url)


def _report(
    sqlite: Tally, postgresql: Tally, *, seconds: float, packaged: bool, encrypted: bool
) -> None:
    both = (sqlite, postgresql)

    def row(name: str, count: Callable[[Tally], int]) -> tuple[str, str]:
        return name, " / ".join(str(count(tally)) for tally in both)

    rows = [
        row("kills", lambda tally: tally.kills),
        row("of them, of vultus serve", lambda tally: tally.server_kills),
        row("kills of a process of the database", lambda tally: tally.backend_kills),
        row("kills of Milvus", lambda tally: tally.milvus_kills),
        row("after which the process that survived was looked at", lambda tally: tally.survivals),
        row("requests acknowledged", lambda tally: tally.acknowledged),
        row("requests that a kill left unanswered", lambda tally: tally.unanswered),
        row("people looked for afterwards, in all rounds", lambda tally: tally.looked_for),
        row("acknowledged enrolments that were lost", lambda tally: tally.lost),
        row("acknowledged deletions that came back", lambda tally: tally.resurrected),
        row("database and search disagreed, or half done", lambda tally: tally.inconsistent),
        row(
            "changes without a line in the audit log, broken chains", lambda tally: tally.unaudited
        ),
        row("rows that did not open, or were not sealed", lambda tally: tally.unopened),
    ]
    events = sum((tally.events for tally in both), Counter[str]())
    rows += [
        (f"log: {event}", " / ".join(str(tally.events[event]) for tally in both))
        for event in events
    ]
    print_table(f"SQLite / PostgreSQL, {seconds:.0f} s", rows)
    if not packaged:
        console.print("No process of the database was killed: it was not started here.")
    for problem in (sqlite.problems + postgresql.problems)[:_PROBLEMS]:
        console.print(problem, markup=False, highlight=False)
    print_figures(
        "crash",
        {
            "kills": sum(tally.kills for tally in both),
            "lost": sum(tally.lost for tally in both),
            "resurrected": sum(tally.resurrected for tally in both),
            "inconsistent": sum(tally.inconsistent for tally in both),
            "unaudited": sum(tally.unaudited for tally in both),
            "unopened": sum(tally.unopened for tally in both),
            "encrypted": encrypted,
            "backend_kills": postgresql.backend_kills,
            "milvus_kills": sum(tally.milvus_kills for tally in both),
            "survivals": sum(tally.survivals for tally in both),
            "sqlite_acknowledged": sqlite.acknowledged,
            "postgresql_acknowledged": postgresql.acknowledged,
            "unanswered": sum(tally.unanswered for tally in both),
            "looked_for": sum(tally.looked_for for tally in both),
            "seconds": round(seconds, 1),
        },
    )
