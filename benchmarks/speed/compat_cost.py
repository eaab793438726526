"""Cost of the APIs of other services, beside /v1, for the same identification.

    python -m benchmarks compat_cost [--turns 4] [--rounds 12] [--people 1000] [--quick]

One `vultus serve` on SQLite that demands keys is asked who is on a photo: by /v1, CompreFace and
DeepStack as a form with a file, by /v1 and Rekognition as base64 in JSON. Rekognition's requests
are signed. They take turns, one block of requests after the other, in another order each round, so
that a busy machine slows all. /v1 is asked twice in each encoding: the second time is a control,
which shows how far two measurements of the same differ.

CPU time is that of the whole process over a block, user and system. Ratios are of sums; their
intervals are a bootstrap over turns (each of them starts the server anew), and rounds within them.
"""

import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np

from app.compat.rekognition.sigv4 import Claim, SignedRequest, signature_of
from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.ratios import ratio_interval
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import cpu_s
from benchmarks.kit.vectors import lines, unit_vectors
from benchmarks.kit.wire import FORM, IDENTITIES, JSON, AnswerError, Wire, form
from tests.kit import photos

_ADMIN = "compat-cost-benchmark"
_KEY = {"name": "door", "role": "operator", "aws": True}
_PERSON = "astronaut"
_AWS_JSON = "application/x-amz-json-1.1"
_TARGET = "RekognitionService.SearchUsersByImage"
_REGION = "us-east-1"
_SIGNED = ("content-type", "host", "x-amz-date", "x-amz-target")
_WARM_UP = 20
_SEED = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """The key of a turn: its text and its pair, for a server at a port."""

    port: int
    text: str
    access_key_id: str
    secret: str

    @property
    def key(self) -> Mapping[str, str]:
        return {"x-api-key": self.text}

    def signed(self, body: bytes) -> Mapping[str, str]:
        """Headers of a signed request, which are good for a quarter of an hour."""
        headers = {
            "content-type": _AWS_JSON,
            "host": f"127.0.0.1:{self.port}",
            "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            "x-amz-target": _TARGET,
        }
        day = headers["x-amz-date"][:8]
        claim = Claim(
            self.access_key_id, day, _REGION, "rekognition", _SIGNED, "", headers["x-amz-date"]
        )
        request = SignedRequest("POST", "/", "", [*headers.items()], sha256(body).hexdigest())
        signature = signature_of(request, claim, self.secret)
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{claim.scope}, "
            f"SignedHeaders={';'.join(_SIGNED)}, Signature={signature}"
        )
        return headers


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: what is sent, and how its answer names the person.

    `beside`: the kind that asks /v1 the same in the same encoding.
    """

    name: str
    beside: str
    path: str
    media_type: str
    body: Callable[[Caller], bytes]
    headers: Callable[[Caller, bytes], Mapping[str, str]]
    found: bytes


@dataclass(slots=True)
class Measured:
    """`ms` of each request, CPU seconds of each block, shape (turns, rounds)."""

    ms: list[float] = field(default_factory=list)
    cpu_s: list[list[float]] = field(default_factory=list)


def main() -> None:
    parser = benchmark_parser(__doc__, quick="two turns of 6 rounds")
    parser.add_argument("--turns", type=int, default=4, help="starts of the server")
    parser.add_argument("--rounds", type=int, default=12, help="blocks of each kind and turn")
    parser.add_argument("--people", type=int, default=1_000)
    options = parse_options(parser)
    turns, rounds = (2, 6) if options.quick else (options.turns, options.rounds)
    a_block = 40
    if options.smoke:
        turns, rounds, options.people, a_block = 1, 2, 20, 2
    print_machine()
    photo = photos.encoded(photos.astronaut().crop((100, 0, 350, 250)))
    kinds = _kinds(photo)
    measured = {kind.name: Measured() for kind in kinds}
    for _ in range(turns):
        _turn(kinds, measured, rounds, people=options.people, a_block=a_block)
    title = f"{options.people:,} people, photo of 250 x 250, {turns} turns of {rounds} rounds"
    _report(kinds, measured, a_block, title=title)


def _kinds(photo: bytes) -> list[Kind]:
    text = b64encode(photo).decode("ascii")
    own_json = json.dumps({"image": text}).encode("ascii")
    aws_json = json.dumps({"CollectionId": "default", "Image": {"Bytes": text}}).encode("ascii")
    match = b'"status":"match"'

    def of_v1(name: str, beside: str, media_type: str, body: bytes) -> Kind:
        return Kind(
            name, beside, IDENTIFY, media_type, lambda _: body, lambda who, _: who.key, match
        )

    own_form = form("image", photo)
    return [
        of_v1("v1_form", "v1_form", FORM, own_form),
        of_v1("v1_form_again", "v1_form", FORM, own_form),
        Kind(
            "compreface",
            "v1_form",
            "/api/v1/recognition/recognize?limit=0&prediction_count=1",
            FORM,
            lambda _: form("file", photo),
            lambda who, _: who.key,
            f'"subject":"{_PERSON}"'.encode("ascii"),
        ),
        Kind(
            "deepstack",
            "v1_form",
            "/v1/vision/face/recognize",
            FORM,
            lambda who: form("image", photo, {"api_key": who.text, "min_confidence": "0.67"}),
            lambda *_: {},
            f'"userid":"{_PERSON}"'.encode("ascii"),
        ),
        of_v1("v1_json", "v1_json", JSON, own_json),
        of_v1("v1_json_again", "v1_json", JSON, own_json),
        Kind(
            "rekognition",
            "v1_json",
            "/",
            _AWS_JSON,
            lambda _: aws_json,
            lambda who, body: who.signed(body),
            f'"UserId":"{_PERSON}"'.encode("ascii"),
        ),
    ]


def _turn(
    kinds: list[Kind], measured: dict[str, Measured], rounds: int, *, people: int, a_block: int
) -> None:
    """Start a server, and send all kinds of requests to it in rounds."""
    with _prepared(people) as (server, caller), ExitStack() as stack:
        senders = []
        for kind in kinds:
            body = kind.body(caller)
            headers = kind.headers(caller, body)
            wire = stack.enter_context(Wire(server.port, headers=headers))
            senders.append((kind, body, wire))
            _send(kind, body, wire, min(a_block, _WARM_UP))
            measured[kind.name].cpu_s.append([])
        for turn in range(rounds):
            first = turn % len(senders)
            for kind, body, wire in (*senders[first:], *senders[:first]):
                before = cpu_s(server.pid)
                measured[kind.name].ms += _send(kind, body, wire, a_block)
                measured[kind.name].cpu_s[-1].append(cpu_s(server.pid) - before)
        console.print(f"turn of {rounds} rounds: done", highlight=False)


@contextmanager
def _prepared(people: int) -> Iterator[tuple[Server, Caller]]:
    """A server with people, one of whom is on the photo, and a key of an operator."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "served", VULTUS_API_KEYS=_ADMIN) as server,
        Wire(server.port, api_key=_ADMIN) as admin,
    ):
        admin.batch(lines(unit_vectors(people - 1, np.random.default_rng(_SEED)), 0))
        person = form("images", photos.encoded(photos.astronaut()), {"external_id": _PERSON})
        status, answer = admin.ask("POST", IDENTITIES, person, FORM)
        if status != 201:
            raise AnswerError(f"{status}: {answer[:500]!r}")
        made = admin.post("/v1/keys", json.dumps(_KEY).encode("ascii"))
        pair = made["aws"]
        yield (
            server,
            Caller(server.port, made["text"], pair["access_key_id"], pair["secret_access_key"]),
        )


def _send(kind: Kind, body: bytes, wire: Wire, count: int) -> list[float]:
    """Send requests one by one; return the milliseconds of each."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        status, answer = wire.ask("POST", kind.path, body, kind.media_type)
        times.append((time.perf_counter() - started) * 1e3)
        if status != 200 or kind.found not in answer:
            raise AnswerError(f"{kind.name}: {status}: {answer[:500]!r}")
    return times


def _report(kinds: list[Kind], measured: dict[str, Measured], a_block: int, *, title: str) -> None:
    rows, figures = [], {}
    for kind in kinds:
        own, beside = measured[kind.name], measured[kind.beside]
        cpu, cpu_beside = np.array(own.cpu_s), np.array(beside.cpu_s)
        cpu_ms = 1e3 * float(cpu.sum()) / (cpu.size * a_block)
        p50 = float(np.median(own.ms))
        ratio = float(cpu.sum() / cpu_beside.sum())
        later = p50 / float(np.median(beside.ms))
        low, high = ratio_interval(cpu_beside, cpu)
        rows.append((f"{kind.name}: CPU of a request, p50", f"{cpu_ms:.2f}, {p50:.2f} ms"))
        if kind.name != kind.beside:
            rows.append(
                (
                    f"   CPU to {kind.beside}, 95 % interval; p50",
                    f"{ratio:.3f} ({low:.3f} to {high:.3f}); {later:.3f}",
                )
            )
        figures[kind.name] = {
            "cpu_ms": round(cpu_ms, 3),
            "p50_ms": round(p50, 3),
            "cpu_ratio": round(ratio, 4),
            "cpu_ratio_interval": [round(low, 4), round(high, 4)],
            "p50_ratio": round(later, 4),
        }
    print_table(f"APIs of other services beside /v1: {title}", rows)
    print_figures("compat_cost", figures)
