"""CPU milliseconds of a request by the parts of the server, networks apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kit.cpu_parts import NATIVE, ask_cpu_times
from benchmarks.kit.servers import Server
from benchmarks.speed import measured_server
from benchmarks.speed.measured_server import NETWORKS, SOCKET

_BLOCK = 10
"""Requests of one kind in a row, between two looks at the clocks."""
_WARM_UP = 20


class MeasuredServer(Server):
    """A server that counts the CPU time of its parts."""

    script = measured_server.__file__

    def __init__(self, data_dir: Path, *arguments: str, **variables: str) -> None:
        super().__init__(data_dir, *arguments, **variables)
        self.socket = data_dir / SOCKET


@dataclass(slots=True)
class PartsOfRequests:
    """CPU seconds by (group of threads, part), of a number of requests."""

    requests: int = 0
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        return 1e3 * sum(self.seconds.values()) / self.requests

    @property
    def networks_ms(self) -> float:
        """The runtimes of the networks, on the threads that call them and on their own."""
        return (
            1e3
            * sum(
                seconds
                for (group, part), seconds in self.seconds.items()
                if part == NETWORKS or group == NATIVE
            )
            / self.requests
        )

    @property
    def around_ms(self) -> float:
        return self.total_ms - self.networks_ms

    def add(self, requests: int, seconds: Mapping[tuple[str, str], float]) -> None:
        self.requests += requests
        for key, more in seconds.items():
            self.seconds[key] = self.seconds.get(key, 0.0) + more

    def by_part_ms(self) -> dict[str, float]:
        """Milliseconds of each part around the networks, largest first."""
        parts = {
            f"{group}: {part or 'the rest'}": 1e3 * seconds / self.requests
            for (group, part), seconds in self.seconds.items()
            if part != NETWORKS and group != NATIVE
        }
        return dict(sorted(parts.items(), key=lambda item: -item[1]))

    def rows(self, name: str) -> list[tuple[str, str]]:
        of_networks = (
            f", {self.networks_ms:.2f} of them in networks" if self.networks_ms > 0.05 else ""
        )
        return [
            (f"{name}: CPU", f"{self.total_ms:.2f} ms{of_networks}"),
            ("   around the networks", f"{self.around_ms:.2f} ms"),
            *(
                (f"      {part}", f"{ms:.2f}")
                for part, ms in self.by_part_ms().items()
                if ms >= 0.01
            ),
        ]

    def figures(self) -> dict[str, object]:
        parts = {name: round(ms, 3) for name, ms in self.by_part_ms().items()}
        return {
            "cpu_ms": round(self.total_ms, 3),
            "networks_cpu_ms": round(self.networks_ms, 3),
            "around_cpu_ms": round(self.around_ms, 3),
            "parts_cpu_ms": parts,
        }


def measure_by_part(
    server: MeasuredServer, kinds: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, PartsOfRequests]:
    """Send each kind of request `rounds` times, in turns of a few, one request at a time."""
    for ask in kinds.values():
        for _ in range(min(_WARM_UP, rounds)):
            ask()
    found = {name: PartsOfRequests() for name in kinds}
    for begun in range(0, rounds, _BLOCK):
        count = min(_BLOCK, rounds - begun)
        for name, ask in kinds.items():
            before = ask_cpu_times(server.socket)
            for _ in range(count):
                ask()
            found[name].add(count, ask_cpu_times(server.socket).since(before))
    return found
