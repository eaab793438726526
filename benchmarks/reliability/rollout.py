"""Roll out another embedder for a gallery, and roll back, under requests without pause.

    python -m benchmarks rollout --faces FOLDER [--people 1000] [--workers 2] [--quick]

Enrolls people from up to three photos each by `vultus enroll-folder`, starts `vultus serve` with
both networks, and asks for the enrolled people by the first of these, on two connections, from
before the first to after the last step:

- `vultus reembed` embeds all people by the other network (`scripts/second_network.py`, which is the
  default one with its embeddings turned),
- `vultus reembed shadow` compares both on the faces that are enrolled, each left out,
- `vultus reembed switch`, `rollback`, `switch` again, and `purge`.

Meanwhile people are enrolled and deleted again, and searches must agree with that at once. A failed
request is one that is not answered 200; a wrong answer is another name than the person's. An answer
is late when it was asked for after a switch, or the way back, was acknowledged, and is by the
network before.
"""

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from benchmarks.kit.lfw_data import LfwData, lfw_data
from benchmarks.kit.load import IDENTIFY, Connection, request, run, upload
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, run_vultus, serving
from benchmarks.kit.wire import IDENTITIES, Wire
from scripts.second_network import write_second_network

_CONNECTIONS = 2
_PHOTOS = 3
_COMING = 20
"""People who are enrolled and deleted meanwhile."""
_SECOND = "second"
"""Name of the embedder that the gallery goes over to."""
_BETWEEN_S = 3.0
"""Least time between two steps, in which one network answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    person: str
    sent_s: float
    ms: float
    status: int
    name: str | None
    network: str | None


@dataclass(slots=True)
class Steps:
    """Begin and end of each step, in seconds of `time.perf_counter`, and what it printed."""

    times: dict[str, tuple[float, float]] = field(default_factory=dict)
    printed: dict[str, Any] = field(default_factory=dict)

    def seconds(self, step: str) -> float:
        began, ended = self.times[step]
        return ended - began


def main() -> None:
    parser = benchmark_parser(__doc__, quick="a fifth of the people", faces=True)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2, help="server processes")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    people = options.people // 5 if options.quick else options.people
    if options.smoke:
        people, options.workers = 2, 1  # the guards refuse the others, who look alike
    with tempfile.TemporaryDirectory() as scratch:
        _run(data, people, options.workers, Path(scratch), smoke=options.smoke)


def _run(data: LfwData, people: int, workers: int, scratch: Path, *, smoke: bool) -> None:
    second = scratch / "second.onnx"
    write_second_network(second)
    variables = {"VULTUS_NEXT__EMBEDDER": _SECOND}
    vultus = _Vultus(scratch / "data", variables)
    vultus("models", "add", second, "--name", _SECOND, "--license", "for measuring")
    console.print("enrolling")
    enrolled, coming = _enroll(data, people, vultus, scratch)
    steps = Steps()
    arguments = ("--workers", str(workers)) if workers > 1 else ()
    with serving(scratch / "data", *arguments, **variables) as server:
        if smoke:  # its people are too few to measure error rates on
            _fix_threshold(server.port)
        before = run(_ask_each(server.port, enrolled))
        pause_s = 2.0 if smoke else 0.0  # each request costs CPU time
        with (
            _asking(server.port, enrolled, pause_s=pause_s) as asked,
            _coming_and_going(server, coming, pause_s=pause_s) as changes,
        ):
            _go_over(vultus, data.images, steps, force=smoke)
        after = run(_ask_each(server.port, enrolled))
    _report(len(enrolled), workers, steps, before, asked, after, changes)


def _fix_threshold(port: int) -> None:
    body = json.dumps({"options": {"decisions": {"identify_threshold": 0.95}}}).encode()
    with Wire(port) as wire:
        status, _ = wire.ask("PATCH", "/v1/collections/default", body)
    assert status == 200


class _Vultus:
    """Commands that run while the server does."""

    def __init__(self, data_dir: Path, variables: dict[str, str]) -> None:
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
        self._environment |= {"VULTUS_DATA_DIR": str(data_dir), "VULTUS_DEVICE": "cpu", **variables}

    def __call__(self, *arguments: str | Path) -> dict[str, Any]:
        printed = run_vultus(*arguments, "--json", env=self._environment, statuses=(0, 3))
        parsed: dict[str, Any] = json.loads(printed)
        return parsed


def _enroll(
    data: LfwData, people: int, vultus: _Vultus, scratch: Path
) -> tuple[dict[str, bytes], list[bytes]]:
    """The photos that people are asked for by; photos of others, who come and go."""
    by_person = data.photos_by_person()
    names = sorted(by_person)
    np.random.default_rng(0).shuffle(names)
    enrolled: dict[str, bytes] = {}
    place = 0
    while len(enrolled) < people:
        some = names[place : place + people - len(enrolled)]
        if not some:
            raise RuntimeError(f"only {len(enrolled)} people can be enrolled")
        folder = scratch / f"people-{place}"
        for name in some:
            (folder / name).mkdir(parents=True)
            for photo in by_person[name][:_PHOTOS]:
                (folder / photo).symlink_to((data.images / photo).resolve())
        place += len(some)
        done = vultus("enroll-folder", folder)
        rejected = {entry["photo"] for entry in done["rejected"]}
        for name in some:
            if by_person[name][0] not in rejected:
                enrolled[name] = (data.images / by_person[name][0]).read_bytes()
    others = names[place : place + _COMING]
    return enrolled, [(data.images / by_person[name][0]).read_bytes() for name in others]


def _go_over(vultus: _Vultus, images: Path, steps: Steps, *, force: bool) -> None:
    photos = ("--photos", images)
    forced = ("--force",) if force else ()
    for step, arguments in (
        ("reembed", ("--to", _SECOND, *photos)),
        ("shadow", ("shadow", "--faces", "100000")),
        ("switch", ("switch", *forced)),
        ("rollback", ("rollback", *forced)),
        ("switch again", ("switch", *forced)),
        ("purge", ("purge",)),
    ):
        console.print(step)
        began = time.perf_counter()
        steps.printed[step] = vultus("reembed", *arguments)
        steps.times[step] = began, time.perf_counter()
        time.sleep(0.5 if force else _BETWEEN_S)


@contextmanager
def _asking(port: int, enrolled: dict[str, bytes], *, pause_s: float) -> Iterator[list[Asked]]:
    """Ask without pause from another thread, and append the answers to the list."""
    asked: list[Asked] = []
    stop = Event()

    async def ask(first: int) -> None:
        people = list(enrolled.items())
        connection = Connection(port)
        place = first
        while not stop.is_set():
            asked.append(await _ask(connection, *people[place % len(people)]))
            place += _CONNECTIONS
            await asyncio.sleep(pause_s)
        connection.close()

    async def ask_all() -> None:
        await asyncio.gather(*(ask(first) for first in range(_CONNECTIONS)))

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(run, ask_all())
        try:
            yield asked
        finally:
            stop.set()
            asking.result()


@contextmanager
def _coming_and_going(
    server: Server, photos: list[bytes], *, pause_s: float
) -> Iterator[Counter[str]]:
    """Enroll a person, find them, delete them and miss them, again and again until the end."""
    counts: Counter[str] = Counter()
    stop = Event()

    async def come_and_go() -> None:
        connection = Connection(server.port)
        for photo in cycle(photos):
            if stop.is_set():
                break
            await asyncio.sleep(pause_s)
            sent = upload(IDENTITIES, "images", photo, name="newcomer")
            enrolled = await connection.ask(sent)
            if enrolled.status != 201:  # resembles an enrolled person, or has two faces
                counts["refused"] += enrolled.status in (409, 422)
                counts["failed"] += enrolled.status not in (409, 422)
                continue
            person = json.loads(enrolled.body)["identity"]["id"]
            found = await _ask(connection, "newcomer", photo)
            gone = await connection.ask(request("DELETE", f"{IDENTITIES}/{person}"))
            missed = await _ask(connection, "newcomer", photo)
            answers = (found.status, gone.status, missed.status)
            counts["failed"] += sum(status != 200 for status in answers)
            counts["enrolled"] += 1
            counts["not found at once"] += found.name != "newcomer"
            counts["found after the deletion"] += missed.name == "newcomer"
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(run, come_and_go())
        try:
            yield counts
        finally:
            stop.set()
            working.result()


async def _ask_each(port: int, enrolled: dict[str, bytes]) -> list[Asked]:
    connection = Connection(port)
    asked = [await _ask(connection, person, photo) for person, photo in enrolled.items()]
    connection.close()
    return asked


async def _ask(connection: Connection, person: str, photo: bytes) -> Asked:
    """Ask who is on a photo. If one of several faces matches the person, that one counts."""
    answer = await connection.ask(upload(IDENTIFY, "image", photo, top_k="1"))
    if answer.status != 200:
        return Asked(person, answer.sent_s, answer.ms, answer.status, None, None)
    body = json.loads(answer.body)
    names = [_name(face) for face in body["faces"]]
    name = person if person in names else next((name for name in names if name), None)
    network = body["model"]["name"]
    return Asked(person, answer.sent_s, answer.ms, answer.status, name, network)


def _name(face: dict[str, Any]) -> str | None:
    identity = face["identity"]
    return None if identity is None else str(identity["external_id"] or identity["name"])


def _report(
    people: int,
    workers: int,
    steps: Steps,
    before: list[Asked],
    meanwhile: list[Asked],
    after: list[Asked],
    changes: Counter[str],
) -> None:
    late = sum(_is_late(one, steps, before[0].network) for one in meanwhile)
    shadow = steps.printed["shadow"]
    figures = {
        "people": people,
        "processes": workers,
        "faces": steps.printed["reembed"]["faces"],
        "seconds": {step: round(steps.seconds(step), 2) for step in steps.times},
        "right_before": sum(one.name == one.person for one in before),
        "right_after": sum(one.name == one.person for one in after),
        "requests_meanwhile": len(meanwhile),
        "failed": sum(one.status != 200 for one in meanwhile) + changes["failed"],
        "wrong_meanwhile": sum(one.name not in (one.person, None) for one in meanwhile),
        "missed_meanwhile": sum(one.name is None for one in meanwhile),
        "late": late,
        "by_network": dict(Counter(one.network for one in meanwhile)),
        "p50_ms": float(np.percentile([one.ms for one in meanwhile], 50)),
        "p99_ms": float(np.percentile([one.ms for one in meanwhile], 99)),
        "changes": dict(changes),
        "shadow": shadow,
        "measured": steps.printed["reembed"]["measured"],
    }
    print_table(
        f"A gallery of {people} people goes over to another embedder, {workers} processes",
        [
            ("faces embedded anew", f"{figures['faces']}"),
            *(
                (f"{step}, the command with its start", f"{steps.seconds(step):.1f} s")
                for step in steps.times
            ),
            ("right before", f"{figures['right_before']} of {len(before)}"),
            ("requests meanwhile, of which failed", f"{len(meanwhile)}, {figures['failed']}"),
            (
                "wrong, missed meanwhile",
                f"{figures['wrong_meanwhile']}, {figures['missed_meanwhile']}",
            ),
            ("by the network before, though asked after a step", str(late)),
            ("p50, p99", f"{figures['p50_ms']:.0f} ms, {figures['p99_ms']:.0f} ms"),
            ("right after", f"{figures['right_after']} of {len(after)}"),
            ("enrolled and deleted meanwhile", f"{changes['enrolled']}"),
            ("of these not found at once", str(changes["not found at once"])),
            ("found after their deletion", str(changes["found after the deletion"])),
            *(
                (f"shadow: {group_name}, {network} network", _counts(shadow[group][network]))
                for group, group_name in (("known", "others enrolled"), ("strangers", "no other"))
                for network in ("first", "second")
            ),
            ("shadow: both networks", _counts(shadow["agreement"])),
        ],
    )
    print_figures("rollout", figures)


def _is_late(one: Asked, steps: Steps, first: str | None) -> bool:
    """Whether a network answered that was not in use from the request until the answer.

    `first` is the network before the first step. Requests during a step may get either.
    """
    for step, following, network in (
        ("switch", "rollback", _SECOND),
        ("rollback", "switch again", first),
        ("switch again", None, _SECOND),
    ):
        since = steps.times[step][1]
        until = float("inf") if following is None else steps.times[following][0]
        if since <= one.sent_s and one.sent_s + one.ms / 1e3 < until:
            return one.network != network
    return False


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
