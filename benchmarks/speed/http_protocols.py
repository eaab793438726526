"""Time of a request in our HTTP protocol with limits and in uvicorn's own two, in turns.

    python -m benchmarks http_protocols [--quick]

Requests are handed to each protocol in memory, so that neither sockets nor the application count:
it reads the body and answers two bytes. Small requests have a body of 1 kB, large ones of 150 kB.
"""

import asyncio
from collections.abc import Mapping
from statistics import median
from time import perf_counter

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.api.edge.connection.connections import ConnectionLimits, Connections
from app.api.edge.connection.http_protocol import LimitedHttp
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table

_PROTOCOLS: Mapping[str, type[HttpToolsProtocol | H11Protocol]] = {
    "httptools": HttpToolsProtocol,
    "h11": H11Protocol,
    "with limits": LimitedHttp,
}
_BODIES = {"1 kB": 1_000, "150 kB": 150_000}
_MOST_TURNS = 1_000
"""Turns of the event loop within which a request must be answered."""
_HEADERS = (
    b"Host: localhost:8000\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nX-Api-Key: 0123456789abcdef0123456789abcdef\r\n"
)


class _Nowhere(asyncio.Transport):
    """A transport that throws answers away."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def main() -> None:
    options = parse_options(benchmark_parser(__doc__, quick="10 rounds"))
    rounds, requests = (1, 10) if options.smoke else (10 if options.quick else 40, 200)
    print_machine()
    times = asyncio.run(_measure(rounds, requests))
    print_table(
        "microseconds a request: best round, median round",
        [
            (f"{name}, {body}", f"{min(taken):.1f}, {median(taken):.1f}")
            for (name, body), taken in times.items()
        ],
    )
    best = {f"{name}, {body}": round(min(taken), 1) for (name, body), taken in times.items()}
    print_figures("http_protocols", best)


async def _measure(rounds: int, requests: int) -> dict[tuple[str, str], list[float]]:
    config = uvicorn.Config(_answer, log_config=None, access_log=False, proxy_headers=False)
    config.load()
    connections = Connections(
        ConnectionLimits(most=100, patience_s=10, bytes_per_s=1_000), lambda _: None
    )
    loop = asyncio.get_running_loop()
    protocols = {}
    for name, kind in _PROTOCOLS.items():
        protocols[name] = kind(config, ServerState(), connections.lifespan_state, loop)
        protocols[name].connection_made(_Nowhere())
    times: dict[tuple[str, str], list[float]] = {
        (name, body): [] for body in _BODIES for name in protocols
    }
    for _ in range(rounds):
        for (name, body), taken in times.items():
            request = _request(_BODIES[body])
            began = perf_counter()
            for _ in range(requests):
                await _ask(protocols[name], request)
            taken.append((perf_counter() - began) / requests * 1e6)
    return times


async def _ask(protocol: HttpToolsProtocol | H11Protocol, request: bytes) -> None:
    before = protocol.cycle
    protocol.data_received(request)
    await asyncio.sleep(0)
    assert protocol.cycle is not before
    for _ in range(_MOST_TURNS):
        if protocol.cycle.response_complete:
            break
        await asyncio.sleep(0)
    else:
        raise AssertionError("the request was not answered")
    await asyncio.sleep(0)


def _request(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (_HEADERS, size, b"x" * size)


async def _answer(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass
    length = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": b"ok"})
