"""Attackers of a server: connections that wait, that drip, that flood, and costly bodies.

Each loop is bounded by its connection's time limit and ends with the block. `AttackerProcess` has
them in a process of their own, so that a client beside them waits for the server alone.
"""

import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.connection import Connection
from select import select
from threading import Event, Thread
from types import TracebackType
from typing import Self

from PIL import Image

from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.wire import FORM, IDENTITIES, JSON, form

ATTACKER = "attacker" * 4
_PROCESSES = get_context("spawn")
_SLOW = 50
_FLOODERS = 2
_DRIP_S = 1.0
_TIMEOUT_S = 30.0
_PAUSE_S = 0.01
_SIDE_PX = 14_000  # of an image bomb: 196 megapixels in half a megabyte
_BOUNDARY = FORM.partition("boundary=")[2].encode("ascii")


@dataclass(frozen=True, slots=True)
class Bomb:
    """A request of few bytes that costs much; `callers` send it again and again."""

    path: str
    body: bytes
    kind: str
    callers: int = 2


@cache
def bombs(*, small: bool = False) -> dict[str, Bomb]:
    """The bombs by name. `small`: of a hundredth of the size, to see that they run."""
    part = 100 if small else 1
    items, side = 1_000_000 // part, _SIDE_PX // (10 if small else 1)
    names = b"{" + b",".join(b'"k%d":1' % number for number in range(items // 2)) + b"}"
    parts = b"".join(
        b'--%s\r\ncontent-disposition: form-data; name="x%d"\r\n\r\n1\r\n' % (_BOUNDARY, number)
        for number in range(items // 10)
    )
    return {
        "json list": Bomb(IDENTITIES, b'{"images":[' + b"1," * items + b"1]}", JSON),
        "json names": Bomb(IDENTIFY, names, JSON),
        "json depth": Bomb(IDENTIFY, b'{"filter":' + b"[" * (items // 10), JSON),
        "lines": Bomb(f"{IDENTITIES}:batch", b"1\n" * items, "application/x-ndjson"),
        "form parts": Bomb(IDENTIFY, parts + b"--%s--\r\n" % _BOUNDARY, FORM),
        "form line ends": Bomb(IDENTIFY, form("image", b"\r\n" * (10 * items)), FORM),
        "jpeg": Bomb(IDENTIFY, form("image", _image(side, "JPEG")), FORM),
        "progressive jpeg": Bomb(IDENTIFY, form("image", _image(side // 2, "JPEG", True)), FORM),
        "png": Bomb(IDENTIFY, form("image", _image(side, "PNG")), FORM),
    }


class Attackers:
    """All attacks at once, on threads, from the begin of the block to its end."""

    def __init__(
        self, port: int, *, idle: int, only: Sequence[str] | None = None, small: bool = False
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Answers and ends of connections, by attack."""
        self._port = port
        self._over = Event()
        attacks: dict[str, tuple[Callable[[str], None], int]] = {
            "idle": (lambda name: self._hold(name, idle, b"", b""), 1),
            "slow headers": (
                lambda name: self._hold(name, _SLOW, b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
                1,
            ),
            "slow bodies": (lambda name: self._hold(name, _SLOW, _begun(ATTACKER), b" "), 1),
            "headers": (self._flood, _FLOODERS),
        }
        for bomb_name, bomb in bombs(small=small).items():
            attacks[bomb_name] = (_sending(self, bomb), bomb.callers)
        self._threads = [
            Thread(target=attack, args=(name,))
            for name, (attack, callers) in attacks.items()
            if only is None or name in only
            for _ in range(callers)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _hold(self, name: str, number: int, first: bytes, drip: bytes) -> None:
        """Keep so many connections open, opened again when they are closed; each drips."""
        held = [_Held(self._port, first) for _ in range(number)]
        while not self._over.wait(_DRIP_S):
            for one in held:
                if one.is_closed_after(drip):
                    self.counts[f"{name}: closed"] += 1
                    one.open()
        for one in held:
            one.close()

    def _flood(self, name: str) -> None:
        """Send header lines without end."""
        lines = b"x: " + b"a" * 1_000 + b"\r\n"
        while not self._over.wait(_PAUSE_S):
            with _connected(self._port) as connection:
                with suppress(OSError):
                    connection.sendall(b"GET / HTTP/1.1\r\n")
                    for _ in range(10_000):
                        connection.sendall(lines)
            self.counts[f"{name}: closed"] += 1

    def send(self, name: str, bomb: Bomb) -> None:
        """Send a bomb, read the first bytes of the answer, and again."""
        head = (
            f"POST {bomb.path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {ATTACKER}\r\n"
            f"content-type: {bomb.kind}\r\ncontent-length: {len(bomb.body)}\r\n"
            "connection: close\r\n\r\n"
        ).encode("ascii")
        while not self._over.wait(_PAUSE_S):
            try:
                with _connected(self._port) as connection:
                    connection.sendall(head + bomb.body)
                    answer = connection.recv(12)
            except OSError as error:
                self.counts[f"{name}: {type(error).__name__}"] += 1
                continue
            self.counts[f"{name}: {answer[9:12].decode('ascii') or 'closed'}"] += 1


@dataclass(slots=True)
class _Held:
    """A connection that is kept open."""

    port: int
    first: bytes
    connection: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.connection = _connected(self.port)
        with suppress(OSError):  # it is closed already, which is seen next time
            self.connection.sendall(self.first)

    def is_closed_after(self, drip: bytes) -> bool:
        """Send a few bytes; return whether the server has answered or closed the connection."""
        closed = bool(select([self.connection], [], [], 0)[0])
        try:
            self.connection.sendall(drip)
        except OSError:
            closed = True
        if closed:
            self.close()
        return closed

    def close(self) -> None:
        self.connection.close()


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)


def _begun(key: str) -> bytes:
    return (
        f"POST {IDENTIFY} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n"
        "content-type: application/json\r\ncontent-length: 500000\r\n\r\n{"
    ).encode("ascii")


def _sending(attackers: Attackers, bomb: Bomb) -> Callable[[str], None]:
    return lambda name: attackers.send(name, bomb)


def _image(side_px: int, kind: str, progressive: bool = False) -> bytes:
    """A gray square, of many more pixels than bytes."""
    made = BytesIO()
    options: Mapping[str, object] = {"progressive": True} if progressive else {}
    Image.new("L", (side_px, side_px), 99).save(made, kind, **options)
    return made.getvalue()


class AttackerProcess:
    """Attackers in a process of their own, which begin and end when they are told to."""

    def __init__(self, port: int, *, idle: int, only: Sequence[str] | None, small: bool) -> None:
        self._pipe, theirs = _PROCESSES.Pipe()
        arguments = (theirs, port, idle, only, small)
        self._process = _PROCESSES.Process(target=_attack, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._pipe.recv()  # the bombs are made

    @contextmanager
    def attacking(self, counts: Counter[str]) -> Iterator[None]:
        """Attack until the block ends; `counts` gets the answers."""
        self._pipe.send(True)
        self._pipe.recv()
        try:
            yield
        finally:
            self._pipe.send(False)
            counts.update(self._pipe.recv())

    def close(self) -> None:
        self._pipe.close()
        self._process.join()


def _attack(
    pipe: Connection, port: int, idle: int, only: Sequence[str] | None, small: bool
) -> None:
    bombs(small=small)
    pipe.send(True)
    with suppress(EOFError):
        while pipe.recv():
            with Attackers(port, idle=idle, only=only, small=small) as attackers:
                pipe.send(True)
                pipe.recv()
            pipe.send(attackers.counts)
