"""Compare Vultus with `face_recognition` on the same machine, photos and people.

    python -m benchmarks peer --faces FOLDER [--photos FOLDER] [--workers N] [--quick]

The peer (`peer_service.py`) is the pipeline of the `face_recognition` package behind FastAPI, with
a uvicorn worker a core. Both servers stay up, and only one is asked at a time; the CPU time that
the other takes meanwhile is reported.

1. Gallery: the first photo of each person, in random order, is offered to both, to us as a batch
   over HTTP and to the peer by its own embedding, until both have taken as many people as wanted;
   whom either cannot use is left out of both.
2. Accuracy: the other photos of those people and the first ones of strangers, by what each service
   answers of the face nearest the centre. Each service gets the threshold at which no more than one
   of a hundred strangers is given a name (FPIR 0.01), chosen on those very strangers: FNIR is
   compared there. Photos without a face are not found. Also the rates at each service's defaults.
3. Speed: closed loops on 1, 8 and 32 connections with these photos, in turns of both servers. With
   `--photos`, on 1 and 8 connections also group photos, and 12-megapixel ones made of them: each
   enlarged until it covers 4000 x 3000 and cut at the centre. There each turn is whole passes over
   the photos, since they differ.

The client runs in this process; its share of the CPU is reported.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.kit.lfw_data import PHOTO_SIDE_PX, LfwData, lfw_data, person_of
from benchmarks.kit.load import (
    IDENTIFY,
    Answer,
    Load,
    closed_loop,
    percentiles_ms,
    upload,
)
from benchmarks.kit.load_photos import group_photos, large
from benchmarks.kit.open_set_rates import OpenSetRates, open_set_rates
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, ServerProcess, free_port, serving
from benchmarks.kit.usage import cpu_s, idle_share
from benchmarks.kit.wire import BATCH, IDENTITIES, JSON_LINES, Wire

_REPOSITORY = Path(__file__).parents[2]
_SEED = 0
_FPIR = 0.01
_PROBE_CONNECTIONS = 8
_BATCH_PEOPLE = 50
_WARM_UP = 16
_PHOTO_CONNECTIONS = (1, 8)


@dataclass(frozen=True, slots=True)
class Size:
    people: int
    strangers: int
    probes: int
    rounds: int
    seconds: float
    """Seconds of each turn on LFW's photos."""
    group_passes: int
    large_photos: int
    lfw_connections: tuple[int, ...] = (1, 8, 32)
    idle_s: float = 3.0


_FULL = Size(1_000, 1_000, 2_000, 3, 20.0, 3, 8)
_QUICK = Size(60, 60, 60, 1, 6.0, 1, 1)
_SMOKE = Size(5, 4, 4, 1, 0.2, 0, 0, lfw_connections=(1,), idle_s=0.2)


@dataclass(frozen=True, slots=True)
class Best:
    """The person that a service finds nearest to a photo's central face.

    A higher `score` is more alike; minus infinity where no face was found. `named` by the service's
    own threshold.
    """

    person: str | None
    score: float
    named: bool


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    process: ServerProcess
    upload_to: tuple[str, str]
    """Path and field."""
    best: Callable[[bytes], Best]

    def request(self, photo: bytes) -> bytes:
        return upload(*self.upload_to, photo)


@dataclass(slots=True)
class Gallery:
    """Photos, one a person, that both took, and how many each could not use."""

    photos: list[str] = field(default_factory=list)
    refused_by_us: int = 0
    refused_by_peer: int = 0
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    """The peer's embeddings."""
    blas: bool = False
    """Whether the peer's dlib multiplies matrices by a library made for it."""


@dataclass(slots=True)
class Turns:
    """All that one server answered in its turns of one kind, and what that took."""

    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0
    faces: int = 0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    idle_other_s: float = 0.0
    """CPU time that the server took which was not asked."""

    def add(self, load: Load, *, server_cpu_s: float, idle_other_s: float) -> None:
        load.require_good()
        self.answers += load.answers
        self.seconds += load.seconds
        self.faces += sum(len(json.loads(answer.body)["faces"]) for answer in load.answers)
        self.client_cpu_s += load.client_cpu_s
        self.server_cpu_s += server_cpu_s
        self.idle_other_s += idle_other_s

    @property
    def throughput(self) -> float:
        return len(self.answers) / self.seconds


Pair = tuple[Turns, Turns]
"""Ours and the peer's."""


def main() -> None:
    parser = benchmark_parser(__doc__, quick="60 people, one short round", faces=True)
    parser.add_argument("--photos", type=Path, help="folder with group photos")
    parser.add_argument("--workers", type=int, help="vultus serve --workers N (else as it starts)")
    parser.add_argument("--peer-workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--peer-python",
        default=sys.executable,
        help="interpreter of the peer, such as one with a dlib that was built with BLAS",
    )
    parser.add_argument(
        "--peer-max-side-px", type=int, default=0, help="the peer shrinks larger photos to this"
    )
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    if options.smoke:
        options.peer_workers = 1
    with tempfile.TemporaryDirectory() as scratch:
        size = _SMOKE if options.smoke else _QUICK if options.quick else _FULL
        _run(data, options, size, Path(scratch))


def _run(data: LfwData, options: argparse.Namespace, size: Size, scratch: Path) -> None:
    arguments = [] if options.workers is None else ["--workers", str(options.workers)]
    names = list(people := data.photos_by_person())
    random.Random(_SEED).shuffle(names)
    with ExitStack() as servers:
        server = servers.enter_context(serving(scratch / "ours", *arguments))
        gallery = _enroll(data, iter(names), people, server, options, size, scratch)
        peer = servers.enter_context(_peer(gallery, options, scratch))
        ours = Contestant("vultus", server, (IDENTIFY, "image"), _our_best)
        theirs = Contestant("peer", peer, ("/identify", "file"), _their_best)
        both = (ours, theirs)
        enrolled = {person_of(photo) for photo in gallery.photos}
        strangers = [people[name][0] for name in reversed(names) if name not in enrolled]
        others = [p for photo in gallery.photos for p in people[person_of(photo)] if p != photo]
        random.Random(_SEED).shuffle(others)
        probes, strangers = others[: size.probes], strangers[: size.strangers]
        photos = [(data.images / photo).read_bytes() for photo in probes + strangers]
        random.Random(_SEED).shuffle(timed := photos.copy())
        for one in both:
            closed_loop(
                one.process.port,
                [one.request(photo) for photo in timed[:_WARM_UP]],
                connections=_PROBE_CONNECTIONS,
            )
        idle = [idle_share(one.process.pid, size.idle_s) for one in both]
        accuracy = [_accuracy(one, photos, probes) for one in both]
        speed = {
            n: _in_turns(both, timed, n, size.rounds, size.seconds) for n in size.lfw_connections
        }
        group: dict[int, Pair] = {}
        big: dict[int, Pair] = {}
        if options.photos is not None and size.large_photos:
            groups = group_photos(options.photos)
            enlarged = [large(photo) for photo in groups[: size.large_photos]]
            for n in _PHOTO_CONNECTIONS:
                group[n] = _in_turns(both, groups * size.group_passes, n, size.rounds)
                copies = -(-n // len(enlarged))  # enough that no connection is without
                big[n] = _in_turns(both, enlarged * copies, n, 1)
    started = "vultus serve" + "".join(f" {argument}" for argument in arguments)
    _report(started, options, gallery, idle, accuracy, speed, group, big, len(strangers))


def _enroll(
    data: LfwData,
    names: Iterator[str],
    people: dict[str, list[str]],
    server: Server,
    options: argparse.Namespace,
    size: Size,
    scratch: Path,
) -> Gallery:
    gallery = Gallery()
    with Wire(server.port) as wire:
        while (missing := size.people - len(gallery.photos)) > 0:
            offered = [people[name][0] for name in islice(names, missing)]
            if not offered:
                raise RuntimeError(f"only {len(gallery.photos)} people have a usable first photo")
            console.print(f"enrolling {len(offered)} people in both", highlight=False)
            ours = _enroll_ours(wire, data, offered)
            gallery.refused_by_us += len(offered) - len(ours)
            rows, gallery.blas = _embed_by_peer(data, list(ours), options, scratch)
            for (photo, identity_id), row in zip(ours.items(), rows, strict=True):
                if np.isnan(row).any():
                    gallery.refused_by_peer += 1
                    wire.delete(f"{IDENTITIES}/{identity_id}")
                else:
                    gallery.photos.append(photo)
                    gallery.rows.append(row)
    return gallery


def _enroll_ours(wire: Wire, data: LfwData, photos: Sequence[str]) -> dict[str, str]:
    """Identity ids by photo, of those that were taken."""
    taken = {}
    for start in range(0, len(photos), _BATCH_PEOPLE):
        some = photos[start : start + _BATCH_PEOPLE]
        lines = [
            {
                "external_id": person_of(photo),
                "images": [b64encode((data.images / photo).read_bytes()).decode("ascii")],
                "force": True,  # those who look alike are a part of what is measured
            }
            for photo in some
        ]
        body = "\n".join(map(json.dumps, lines)).encode("utf-8")
        status, answer = wire.ask("POST", BATCH, body, JSON_LINES)
        if status != 200:
            raise RuntimeError(f"{status}: {answer[:500]!r}")
        for photo, line in zip(some, answer.splitlines(), strict=True):
            result = json.loads(line)
            if result["status"] == "enrolled":
                taken[photo] = result["identity_id"]
    return taken


def _embed_by_peer(
    data: LfwData, photos: Sequence[str], options: argparse.Namespace, scratch: Path
) -> tuple[NDArray[np.float32], bool]:
    """A row a photo, NaN where no face was found; and whether its dlib has BLAS."""
    rows = scratch / "rows.npy"
    done = subprocess.run(
        [options.peer_python, "-m", "benchmarks.speed.peer_service", rows],
        input="\n".join(str((data.images / photo).resolve()) for photo in photos),
        env=_peer_environment(options),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return np.load(rows), bool(json.loads(done.stdout)["blas"])


@contextmanager
def _peer(gallery: Gallery, options: argparse.Namespace, scratch: Path) -> Iterator[ServerProcess]:
    path = scratch / "gallery.npy"
    np.save(path, np.stack(gallery.rows))
    names = [person_of(photo) for photo in gallery.photos]
    path.with_suffix(".json").write_text(json.dumps(names), encoding="utf-8")
    port = free_port()
    command = [options.peer_python, "-m", "uvicorn", "benchmarks.speed.peer_service:app"]
    command += ["--port", str(port), "--workers", str(options.peer_workers), "--no-access-log"]
    # By default, a worker is killed that is silent for 5 s, as while dlib embeds many faces.
    command += ["--timeout-worker-healthcheck", "120"]
    environment = {**_peer_environment(options), "PEER_GALLERY": str(path)}
    server = ServerProcess(command, port, scratch / "peer", environment)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()


def _peer_environment(options: argparse.Namespace) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(_REPOSITORY),
        "PEER_MAX_SIDE_PX": str(options.peer_max_side_px),
        # One thread a process: the processes fill the cores.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _our_best(body: bytes) -> Best:
    face = _central(json.loads(body)["faces"])
    if face is None or not face["candidates"]:  # none where the face is rejected for its quality
        return Best(None, -np.inf, False)
    best = face["candidates"][0]
    return Best(best["external_id"], best["similarity"], face["status"] == "match")


def _their_best(body: bytes) -> Best:
    face = _central(json.loads(body)["faces"])
    if face is None:
        return Best(None, -np.inf, False)
    return Best(face["nearest"], -face["distance"], face["name"] != "unknown")


def _central(faces: list[dict[str, Any]]) -> dict[str, Any] | None:
    def distance(face: dict[str, Any]) -> float:
        left, top, right, bottom = face["box"]
        return float(np.hypot(left + right - PHOTO_SIDE_PX, top + bottom - PHOTO_SIDE_PX))

    return min(faces, key=distance, default=None)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`at_fpir`: at the threshold of FPIR 0.01; `by_default`: as the service answers."""

    at_fpir: OpenSetRates
    by_default: OpenSetRates
    without_face: int


def _accuracy(one: Contestant, photos: Sequence[bytes], probes: Sequence[str]) -> Accuracy:
    """`photos` are the probes and then the strangers."""
    console.print(f"{len(photos)} probes by {one.name}", highlight=False)
    requests = [one.request(photo) for photo in photos]
    load = closed_loop(one.process.port, requests, connections=_PROBE_CONNECTIONS)
    load.require_good()
    found = {answer.place: one.best(answer.body) for answer in load.answers}
    known = [found[place] for place in range(len(probes))]
    others = [found[place] for place in range(len(probes), len(photos))]
    right = [b.person == person_of(photo) for b, photo in zip(known, probes, strict=True)]

    def rates(of: Callable[[Best], float], threshold: float) -> OpenSetRates:
        return open_set_rates(
            enrolled_similarity=np.array([of(best) for best in known]),
            enrolled_right=np.array(right),
            other_similarity=np.array([of(best) for best in others]),
            threshold=threshold,
        )

    # Just above the first stranger who must not match.
    descending = sorted((best.score for best in others), reverse=True)
    threshold = np.nextafter(descending[int(_FPIR * len(others))], np.inf)
    return Accuracy(
        rates(lambda best: best.score, threshold),
        rates(lambda best: float(best.named), 0.5),
        sum(best.person is None for best in found.values()),
    )


def _in_turns(
    both: Sequence[Contestant],
    photos: Sequence[bytes],
    connections: int,
    rounds: int,
    seconds: float | None = None,
) -> Pair:
    turns = (Turns(), Turns())
    requests = [[one.request(photo) for photo in photos] for one in both]
    for _ in range(rounds):
        for place, one in enumerate(both):
            other = both[1 - place]
            before = cpu_s(one.process.pid), cpu_s(other.process.pid)
            load = closed_loop(
                one.process.port, requests[place], connections=connections, seconds=seconds
            )
            turns[place].add(
                load,
                server_cpu_s=cpu_s(one.process.pid) - before[0],
                idle_other_s=cpu_s(other.process.pid) - before[1],
            )
            console.print(
                f"{one.name}, {connections} connections: {load.throughput:.2f}/s", highlight=False
            )
    return turns


def _report(
    started: str,
    options: argparse.Namespace,
    gallery: Gallery,
    idle: Sequence[float],
    accuracy: Sequence[Accuracy],
    speed: dict[int, Pair],
    group: dict[int, Pair],
    big: dict[int, Pair],
    strangers: int,
) -> None:
    ours, theirs = accuracy
    kinds = {"LFW": speed, "group photos": group, "12 MP": big}
    every = [turns for kind in kinds.values() for pair in kind.values() for turns in pair]
    client_share = sum(t.client_cpu_s for t in every) / sum(
        t.client_cpu_s + t.server_cpu_s for t in every
    )
    busy_idle = max(t.idle_other_s / t.seconds for t in every)
    blas = "with" if gallery.blas else "without"
    rows = [
        ("servers", f"{started}; peer: {options.peer_workers} workers, dlib {blas} BLAS"),
        ("people", f"{len(gallery.photos)}, from a photo each"),
        (
            "not usable: for us, then for the peer",
            _two(gallery.refused_by_us, gallery.refused_by_peer),
        ),
        ("photos without a face: ours, peer", _two(ours.without_face, theirs.without_face)),
        (
            f"FNIR at FPIR {_FPIR:g} of {strangers} strangers: ours, peer",
            f"{ours.at_fpir.fnir:.4f}, {theirs.at_fpir.fnir:.4f}",
        ),
        (
            "FNIR by default: ours, peer",
            f"{ours.by_default.fnir:.4f}, {theirs.by_default.fnir:.4f}",
        ),
        (
            "FPIR by default: ours, peer",
            f"{ours.by_default.fpir:.4f}, {theirs.by_default.fpir:.4f}",
        ),
    ]
    for name, kind in kinds.items():
        for connections, pair in kind.items():
            a, b = (f"{t.throughput:.2f}/s {_latency(t)}" for t in pair)
            ratio = pair[0].throughput / pair[1].throughput
            rows.append((f"{name}, {connections} connections: ours", a))
            rows.append(("    peer", f"{b}; ours are {ratio:.2f} times as many"))
    rows += [
        ("idle, share of a core: ours, peer", f"{idle[0]:.2%}, {idle[1]:.2%}"),
        ("at most, while the other was asked", f"{busy_idle:.2%}"),
        ("the client's share of the CPU time", f"{client_share:.2%}"),
    ]
    print_table("Vultus and the pipeline of face_recognition", rows)
    p50 = [percentiles_ms(turns.answers, 50)[0] for turns in speed[1]]
    print_figures(
        "peer",
        {
            "throughput_ratio": _throughput_ratios(speed),
            "p50_ratio": round(p50[0] / p50[1], 4),
            "fnir_ratio": round(ours.at_fpir.fnir / theirs.at_fpir.fnir, 4)
            if theirs.at_fpir.fnir
            else None,
            "fnir": _two_figures(ours.at_fpir.fnir, theirs.at_fpir.fnir),
            "fpir": _two_figures(ours.at_fpir.fpir, theirs.at_fpir.fpir),
            "fnir_by_default": _two_figures(ours.by_default.fnir, theirs.by_default.fnir),
            "fpir_by_default": _two_figures(ours.by_default.fpir, theirs.by_default.fpir),
            "lfw": _figures(speed),
            "photos": {"throughput_ratio": _throughput_ratios(group), **_figures(group)},
            "large": {"throughput_ratio": _throughput_ratios(big), **_figures(big)},
            "people": len(gallery.photos),
            "refused_by_us": gallery.refused_by_us,
            "refused_by_peer": gallery.refused_by_peer,
            "without_face": _two_figures(ours.without_face, theirs.without_face),
            "server": started,
            "peer_workers": options.peer_workers,
            "peer_blas": gallery.blas,
            "peer_max_side_px": options.peer_max_side_px,
            "client_cpu_share": round(client_share, 4),
            "idle_cpu_share": _two_figures(*idle),
            "busy_idle_cpu_share": round(busy_idle, 4),
        },
    )


def _latency(turns: Turns) -> str:
    p50, p99 = percentiles_ms(turns.answers, 50, 99)
    return (
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, {turns.faces / len(turns.answers):.1f} faces a photo"
    )


def _throughput_ratios(kind: dict[int, Pair]) -> dict[str, float]:
    return {str(n): round(a.throughput / b.throughput, 3) for n, (a, b) in kind.items()}


def _figures(kind: dict[int, Pair]) -> dict[str, object]:
    """Rows by service and number of connections."""
    return {
        name: {
            str(n): {
                "throughput": round(pair[place].throughput, 3),
                "p50_ms": round(percentiles_ms(pair[place].answers, 50)[0], 1),
                "p99_ms": round(percentiles_ms(pair[place].answers, 99)[0], 1),
                "answers": len(pair[place].answers),
                "faces": round(pair[place].faces / len(pair[place].answers), 2),
            }
            for n, pair in kind.items()
        }
        for place, name in enumerate(("ours", "peer"))
    }


def _two(ours: object, theirs: object) -> str:
    return f"{ours}, {theirs}"


def _two_figures(ours: float, theirs: float) -> dict[str, float]:
    return {"ours": round(ours, 5), "peer": round(theirs, 5)}
