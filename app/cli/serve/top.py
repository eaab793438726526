"""`vultus top`: show how busy a running server is, in tables that are updated."""

import json
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.cli.configuration import load_settings
from app.cli.output import results, show
from app.errors import AccessDenied, SettingUnusable, Unavailable
from app.gallery.keys.settings_keys import read_key_file

_ANSWERS_WITHIN_S = 10


def top(url: str | None, api_key: str | None, *, every_s: float, once: bool, as_json: bool) -> None:
    """Show how busy a running server is."""
    settings = load_settings()
    certificate = settings.tls.cert if url is None else None
    here = f"{'http' if certificate is None else 'https'}://127.0.0.1:{settings.port}"
    address = (url or here).rstrip("/")
    if urlsplit(address).scheme not in ("http", "https"):
        raise typer.BadParameter("--url must begin with http:// or https://")
    if api_key is None and settings.api_keys:
        api_key = settings.api_keys[0].get_secret_value()
    elif api_key is None and settings.api_keys_file is not None:
        api_key = read_key_file(settings.api_keys_file)[0]
    server = _Server(address, api_key, certificate)
    stats = server.stats()
    if once or as_json:
        show(stats, _screen(address, stats), as_json=as_json)
    else:
        _watch(server, stats, every_s=every_s)


class _Server:
    """The server that is asked for its figures."""

    def __init__(self, address: str, api_key: str | None, certificate: Path | None) -> None:
        """`certificate`: the only one to trust, whatever its name; None for the usual ones."""
        self.address = address
        self._headers = {} if api_key is None else {"x-api-key": api_key}
        self._tls = None if certificate is None else _trusting(certificate)

    def stats(self) -> dict[str, Any]:
        """Request the figures. Raises AccessDenied, and Unavailable without a usable answer."""
        address = self.address
        request = Request(f"{address}/v1/stats", headers=self._headers)  # noqa: S310  (see `top`)
        try:
            with urlopen(request, timeout=_ANSWERS_WITHIN_S, context=self._tls) as response:  # noqa: S310
                stats: dict[str, Any] = json.load(response)
                return stats
        except HTTPError as error:
            if error.code == 401:
                raise AccessDenied("the server demands a valid API key") from error
            raise Unavailable(f"{address} answers {error.code}; is it a Vultus server?") from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise Unavailable(
                f"no answer from {address} ({error}); name the server by --url"
            ) from error


def _trusting(certificate: Path) -> ssl.SSLContext:
    """Trust the certificate of this machine's server, which names other addresses than 127.0.0.1.

    Raises SettingUnusable without a usable one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except OSError as error:
        raise SettingUnusable(
            f"cannot use the certificate {certificate} ({error.strerror})",
            setting="VULTUS_TLS__CERT",
        ) from error
    return context


def _watch(server: _Server, stats: Mapping[str, Any], *, every_s: float) -> None:
    """Show new figures until interrupted, also after the server was away for a while."""
    with Live(_screen(server.address, stats), console=results, auto_refresh=False) as live:
        while True:
            try:
                time.sleep(every_s)
            except KeyboardInterrupt:
                return
            try:
                live.update(_screen(server.address, server.stats()), refresh=True)
            except Unavailable as error:
                live.update(Text(str(error), style="red"), refresh=True)


def _screen(address: str, stats: Mapping[str, Any]) -> RenderableType:
    return Group(
        _summary(address, stats),
        _latencies("route", stats["routes"]),
        _latencies("stage", stats["stages"], batches=stats["mean_batch_sizes"]),
    )


def _summary(address: str, stats: Mapping[str, Any]) -> Table:
    queue = stats["queue"]
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("server", f"{address}, process {stats['pid']}, up {_duration(stats['uptime_s'])}"),
        (
            "requests",
            f"{stats['requests_per_s']:g} a second, {stats['requests_in_progress']} in progress",
        ),
        ("photos", f"{queue['photos_pending']} of {queue['photo_capacity']} places taken"),
        ("index", _index(stats["index"])),
        ("memory", _memory(stats)),
        ("decisions", _decisions(stats["decisions"])),
    ):
        table.add_row(Text(name, style="bold"), value)
    return table


def _latencies(
    kind: str, latencies: Mapping[str, Any], *, batches: Mapping[str, float] | None = None
) -> Table:
    table = Table(kind, "count", "p50 ms", "p95 ms", "p99 ms", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    if batches is not None:
        table.add_column("mean batch", justify="right")
    for name, took in latencies.items():
        figures = [f"{took[key]:.1f}" for key in ("p50_ms", "p95_ms", "p99_ms")]
        batch = [] if batches is None else [f"{batches[name]:g}" if name in batches else ""]
        table.add_row(name, str(took["count"]), *figures, *batch)
    return table


def _index(index: Mapping[str, Any]) -> str:
    return (
        f"{index['faces']:,} faces, {_known(index['collections'])} collections, "
        f"{_known(index['revisions_behind'])} revisions behind"
    )


def _memory(stats: Mapping[str, Any]) -> str:
    resident, device = stats["resident_bytes"], stats["device_memory_bytes"]
    memory = "unknown" if resident is None else f"{resident / 1e6:,.0f} MB"
    return memory if device is None else f"{memory}; {stats['device']} {device / 1e6:,.0f} MB"


def _decisions(decisions: Mapping[str, Mapping[str, int]]) -> str:
    return (
        "; ".join(
            f"{operation}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
            for operation, counts in decisions.items()
        )
        or "none yet"
    )


def _known(value: int | None) -> str:
    return "?" if value is None else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
