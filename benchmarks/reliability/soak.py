"""Send many mixed requests to one server: leaks, errors, and matches with deleted people.

    python -m benchmarks soak [--faces FOLDER] [--requests 50000] [--minutes M] [--quick]

Of the requests 60 % identify, 15 % enroll a person from a photo, 15 % delete one and 10 % carry bad
images of several kinds. Four connections, each as soon as it was answered, own a part of the photos
each, so that it is known of each photo whether it is enrolled. A client that deletes a person
enrolls another, and the gallery stays about as large. The run ends after so many requests or
`--minutes`, whichever is first.

Wrong is: an enrolled photo whose person is not the best candidate (or as good as the best), and a
candidate whose deletion was acknowledged before the request was sent. Every photo is enrolled
once at a time. Bad images must be answered as their kind is, never with 5xx.

Resident memory is read every second. What is in use at a moment comes and goes with the photos, so
what stays is the least of each minute (the floor). The slopes are those of straight lines by least
squares over the second half of the requests, of all readings and of the floors, in MB per 10,000
requests, with the standard error that they would have if the readings were independent. Most photos
are small, so that many requests fit in: the middles of portraits at 120 pixels; some are 250
pixels, and a few 1,000.
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.kit.lfw_data import LfwData
from benchmarks.kit.load import IDENTIFY, Answer, Connection, closed_loop, request, run, upload
from benchmarks.kit.load_photos import portraits, smaller
from benchmarks.kit.options import benchmark_parser, optional_faces, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import descriptors, resident_mb, settled, threads
from benchmarks.kit.wire import IDENTITIES
from benchmarks.reliability.soak_images import BAD, Bad

_CLIENTS = 4
_SEED = 0
_PEOPLE = 200
"""Enrolled at a time."""
_PHOTOS = 400
_SIDES = ((120, 0.90), (250, 0.09), (1_000, 0.01))
"""Sides of photos in pixels, and their shares."""
_KINDS = ("identify", "enroll", "delete", "bad")
_SHARES = (0.60, 0.15, 0.15, 0.10)
_AS_GOOD = 1e-4
_SAMPLE_S = 1.0
_REPORTED_EVERY_S = 30.0
_FLOOR_READINGS = 60


@dataclass(slots=True)
class Photo:
    """`identity_id` while it is enrolled."""

    identify: bytes
    enroll: bytes
    identity_id: str | None = None
    usable: bool = True


@dataclass(slots=True)
class Soak:
    """State that all clients share."""

    port: int
    requests: int
    ends_at: float
    sent: int = 0
    deleted_at: dict[str, float] = field(default_factory=dict)
    """Moment at which each deletion was acknowledged, by identity id."""
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    server_errors: int = 0
    failures: int = 0
    """No answer at all."""
    deleted_but_found: int = 0
    enrolled_but_not_found: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[int, float]] = field(default_factory=list)
    """Requests answered so far, MB."""

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    def take(self) -> bool:
        """Whether another request is to be sent."""
        if self.sent >= self.requests or time.monotonic() > self.ends_at:
            return False
        self.sent += 1
        return True

    def count(self, kind: str, answer: Answer, expected: Sequence[int]) -> None:
        self.kinds[kind] += 1
        self.statuses[answer.status] += 1
        self.failures += answer.status == 0
        self.server_errors += answer.status >= 500
        if answer.status not in expected and 0 < answer.status < 500:
            self.unexpected[f"{kind}: {answer.status}"] += 1


def main() -> None:
    parser = benchmark_parser(__doc__, quick="2,000 requests")
    parser.add_argument("--faces", type=Path, help="folder with images/ (else photos of packages)")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after these")
    options = parse_options(parser)
    data = optional_faces(parser, options)
    print_machine()
    photos = _photos(data, 24 if options.smoke else _PHOTOS)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as server:
        requests = 2_000 if options.quick else options.requests
        _run(server, photos, 40 if options.smoke else requests, options.minutes)


def _photos(data: LfwData | None, count: int) -> list[Photo]:
    generator = random.Random(_SEED)
    made = []
    for portrait in portraits(data, count):
        (side_px,) = generator.choices([side for side, _ in _SIDES], [share for _, share in _SIDES])
        photo = smaller(portrait, side_px)
        enroll = upload(
            IDENTITIES, "images", photo, faces="largest", quality_filter="none", force="true"
        )
        made.append(Photo(upload(IDENTIFY, "image", photo), enroll))
    return made


def _run(server: Server, photos: list[Photo], requests: int, minutes: float) -> None:
    soak = Soak(server.port, requests, float("inf"))
    run(_fill(soak, photos))
    warm = [photo.identify for photo in photos[: 10 * _CLIENTS]]
    closed_loop(server.port, warm, connections=_CLIENTS)
    pid = server.pid
    before = [settled(partial(read, pid)) for read in (descriptors, threads)]
    soak.ends_at = time.monotonic() + minutes * 60
    started = time.perf_counter()
    run(_soak(soak, photos, pid))
    seconds = time.perf_counter() - started
    after = [settled(partial(read, pid)) for read in (descriptors, threads)]
    _report(soak, seconds, before, after)


async def _fill(soak: Soak, photos: list[Photo]) -> None:
    """Enroll from the start as many as are to be there at a time."""
    connection = Connection(soak.port)
    for photo in photos[:_PEOPLE]:
        answer = await connection.ask(photo.enroll)
        if answer.status == 201:
            photo.identity_id = json.loads(answer.body)["identity"]["id"]
        else:
            photo.usable = False
    connection.close()


async def _soak(soak: Soak, photos: list[Photo], pid: int) -> None:
    async with asyncio.TaskGroup() as clients:
        watch = asyncio.create_task(_watch(soak, pid))
        tasks = [
            clients.create_task(_client(soak, photos[n::_CLIENTS], n)) for n in range(_CLIENTS)
        ]
        await asyncio.wait(tasks)
        watch.cancel()


async def _watch(soak: Soak, pid: int) -> None:
    reported_at = time.monotonic()
    while True:
        soak.samples.append((soak.answered, resident_mb(pid)))
        if time.monotonic() - reported_at > _REPORTED_EVERY_S:
            reported_at = time.monotonic()
            console.print(
                f"{soak.answered} requests, {soak.samples[-1][1]:.0f} MB", highlight=False
            )
        await asyncio.sleep(_SAMPLE_S)


async def _client(soak: Soak, photos: list[Photo], number: int) -> None:
    generator = random.Random(_SEED + 1 + number)
    connection = Connection(soak.port)
    while soak.take():
        (kind,) = generator.choices(_KINDS, _SHARES)
        enrolled = [photo for photo in photos if photo.identity_id is not None]
        free = [photo for photo in photos if photo.usable and photo.identity_id is None]
        if kind == "bad":
            await _send_bad(soak, connection, generator.choice(BAD))
        elif kind == "identify":
            usable = [photo for photo in photos if photo.usable]
            await _identify(soak, connection, generator.choice(usable))
        # At least one person stays, and not many more than at first.
        elif (kind == "enroll" and len(enrolled) < 2 * _PEOPLE // _CLIENTS and free) or (
            len(enrolled) <= 1
        ):
            await _enroll(soak, connection, generator.choice(free))
        else:
            await _delete(soak, connection, generator.choice(enrolled))
    connection.close()


async def _send_bad(soak: Soak, connection: Connection, bad: Bad) -> None:
    answer = await connection.ask(bad.request)
    soak.count(f"bad, {bad.name}", answer, bad.expected)


async def _identify(soak: Soak, connection: Connection, photo: Photo) -> None:
    answer = await connection.ask(photo.identify)
    soak.count("identify", answer, (200,))
    if answer.status != 200:
        return
    faces: list[dict[str, Any]] = json.loads(answer.body)["faces"]
    found = [one["identity_id"] for face in faces for one in face["candidates"]]
    soak.deleted_but_found += any(
        soak.deleted_at.get(name, np.inf) < answer.sent_s for name in found
    )
    if photo.identity_id is not None:
        soak.enrolled_but_not_found += not any(
            _is_best(photo.identity_id, face["candidates"]) for face in faces
        )


def _is_best(identity_id: str, candidates: list[dict[str, Any]]) -> bool:
    return any(
        one["identity_id"] == identity_id
        and one["similarity"] >= candidates[0]["similarity"] - _AS_GOOD
        for one in candidates
    )


async def _enroll(soak: Soak, connection: Connection, photo: Photo) -> None:
    answer = await connection.ask(photo.enroll)
    soak.count("enroll", answer, (201, 422))
    if answer.status == 201:
        photo.identity_id = json.loads(answer.body)["identity"]["id"]
    elif answer.status == 422:  # no face in it
        photo.usable = False


async def _delete(soak: Soak, connection: Connection, photo: Photo) -> None:
    assert photo.identity_id is not None
    answer = await connection.ask(request("DELETE", f"{IDENTITIES}/{photo.identity_id}"))
    soak.count("delete", answer, (200,))
    if answer.status == 200:
        soak.deleted_at[photo.identity_id] = answer.answered_s
        photo.identity_id = None


@dataclass(frozen=True, slots=True)
class Slope:
    """MB per 10,000 requests; NaN of fewer than three readings."""

    value: float
    standard_error: float


def slope_of(samples: NDArray[np.float64]) -> Slope:
    """Slope of readings (N, 2): requests so far, and MB."""
    if len(samples) < 3:
        return Slope(float("nan"), float("nan"))
    x, y = samples[:, 0] / 10_000, samples[:, 1]
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    residuals = y - y.mean() - slope * centred
    variance = float(residuals @ residuals) / (len(samples) - 2)
    return Slope(slope, float(np.sqrt(variance / spread)))


def floors(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least reading of each full minute."""
    whole = len(samples) // _FLOOR_READINGS * _FLOOR_READINGS
    minutes = samples[:whole].reshape(-1, _FLOOR_READINGS, 2)
    made: NDArray[np.float64] = minutes[np.arange(len(minutes)), minutes[:, :, 1].argmin(axis=1)]
    return made


def _report(soak: Soak, seconds: float, before: Sequence[int], after: Sequence[int]) -> None:
    samples = np.array(soak.samples, dtype=np.float64)
    later = samples[samples[:, 0] >= soak.answered / 2]
    slope, floor = slope_of(later), slope_of(floors(later))
    wrong = soak.deleted_but_found + soak.enrolled_but_not_found
    start, end = samples[0, 1], samples[-1, 1]
    shares = Counter(kind.split(",", maxsplit=1)[0] for kind in soak.kinds.elements())
    print_table(
        "Soak",
        [
            ("requests", f"{soak.answered} in {seconds / 60:.1f} min"),
            ("of them", ", ".join(f"{kind} {n}" for kind, n in shares.most_common())),
            ("resident memory at the start, end, most", _mb(start, end, samples[:, 1].max())),
            (
                "slope over the second half",
                f"{slope.value:.2f} ± {slope.standard_error:.2f} MB per 10,000 requests",
            ),
            (
                "slope of the floor",
                f"{floor.value:.2f} ± {floor.standard_error:.2f} MB per 10,000 requests",
            ),
            ("floor of each minute", ", ".join(f"{mb:.0f}" for _, mb in floors(samples))),
            ("5xx", str(soak.server_errors)),
            ("no answer", str(soak.failures)),
            ("deleted, but found", str(soak.deleted_but_found)),
            ("enrolled, but not found by the same photo", str(soak.enrolled_but_not_found)),
            ("other unexpected answers", _counts_of(soak.unexpected)),
            ("open file descriptors before, after", f"{before[0]}, {after[0]}"),
            ("threads before, after", f"{before[1]}, {after[1]}"),
        ],
    )
    print_figures(
        "soak",
        {
            "requests": soak.answered,
            "rss_start_mb": round(start, 1),
            "rss_end_mb": round(end, 1),
            "rss_most_mb": round(float(samples[:, 1].max()), 1),
            "slope_mb_per_10k": _figure(slope.value),
            "slope_stderr": _figure(slope.standard_error),
            "floor_slope_mb_per_10k": _figure(floor.value),
            "floor_slope_stderr": _figure(floor.standard_error),
            "server_errors": soak.server_errors,
            "no_answer": soak.failures,
            "wrong": wrong,
            "deleted_but_found": soak.deleted_but_found,
            "enrolled_but_not_found": soak.enrolled_but_not_found,
            "unexpected": dict(soak.unexpected),
            "descriptors": {"before": before[0], "after": after[0]},
            "threads": {"before": before[1], "after": after[1]},
            "minutes": round(seconds / 60, 2),
            "kinds": dict(soak.kinds),
        },
    )


def _mb(*values: float) -> str:
    return ", ".join(f"{value:.0f}" for value in values) + " MB"


def _counts_of(unexpected: Counter[str]) -> str:
    return ", ".join(f"{kind} x {n}" for kind, n in unexpected.items()) or "0"


def _figure(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else round(value, 3)
