"""`vultus models catalogue` and `vultus models fetch`: networks that others publish."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from app.cli.configuration import load_settings
from app.cli.output import TextConsole, errors, print_json, print_line, results, show, text_column
from app.operations.fetching.fetch_network import Fetched, Places, fetch_network, find_in_catalogue
from app.recognition.startup_errors import startup_error
from models.zoo.catalogue.entry import CatalogueEntry, Source
from models.zoo.catalogue.entry import catalogue as all_entries
from models.zoo.catalogue.fetched import Receipt, file_of, find_receipt
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.errors import WeightsError


def catalogue(name: str | None, *, as_json: bool) -> None:
    """Print all networks in a table, or the card of one."""
    weights_dir = load_settings().resolved_weights_dir
    if name is not None:
        entry = find_in_catalogue(name)
        show(_to_json(entry, weights_dir), _card_table(entry, weights_dir), as_json=as_json)
        return
    entries = all_entries().values()
    if as_json:
        print_json([_to_json(entry, weights_dir) for entry in entries])
    else:
        _print_table(entries, weights_dir)


def fetch(
    name: str, *, sha256: str | None, accept_license: bool, mirror: str | None, as_json: bool
) -> None:
    """Fetch a network. Its licence and the progress are printed on standard error."""
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise typer.BadParameter("--sha256 is 64 hexadecimal digits")
    if mirror is not None and not re.match("https?://[^/]", mirror):
        raise typer.BadParameter("--mirror is a URL that begins with https:// or http://")
    settings = load_settings()
    entry = find_in_catalogue(name)
    if entry.needs_acceptance and entry.sources:
        print_line(f"{entry.license.name}: {entry.license.terms}", errors)
        print_line(f"The licence: {entry.license.url}", errors)
    places = Places(
        settings.resolved_weights_dir,
        mirror=mirror or settings.catalogue.mirror,
        folder=None if mirror else settings.catalogue.folder,
    )
    with _FetchProgress() as progress:
        fetched = fetch_network(
            name,
            places,
            progress,
            sha256=None if sha256 is None else sha256.lower(),
            accept_license=accept_license,
        )
    answer = {
        **fetched.receipt.model_dump(mode="json"),
        "path": str(fetched.path),
        "new": fetched.new,
        "along": list(fetched.along),
    }
    show(answer, *_fetched_texts(fetched), as_json=as_json)


def _print_table(entries: Iterable[CatalogueEntry], weights_dir: Path) -> None:
    """Print all columns, or the narrow ones on a narrow terminal."""
    console = results if results.is_terminal else TextConsole(width=_WIDE)
    shown = [column for column in _COLUMNS if console.width >= _WIDE or column.narrow]
    table = Table(
        *(Column(column.title, no_wrap=True) for column in shown),
        box=None,
        padding=(0, 2, 0, 0),
        caption="vultus models catalogue NAME shows the whole card, with its sources",
    )
    for entry in entries:
        fetched = _receipt(entry, weights_dir) is not None
        table.add_row(*(column.text(entry, fetched) for column in shown))
    console.print(table)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table. `text` makes a cell of an entry and of whether it was fetched."""

    title: str
    text: Callable[[CatalogueEntry, bool], str]
    narrow: bool = True


def _source_host(entry: CatalogueEntry) -> str:
    return entry.sources[0].host if entry.sources else "recipe"


_WIDE = 140
_COLUMNS = (
    _Column("network", lambda entry, _: entry.name),
    _Column("kind", lambda entry, _: entry.kind),
    _Column("dim", lambda entry, _: str(entry.dimension or "")),
    _Column("MB", lambda entry, _: _size(entry)),
    _Column("licence", lambda entry, _: entry.license.name),
    _Column("commercial", lambda entry, _: entry.license.commercial),
    _Column("published accuracy", lambda entry, _: _first_figure(entry), narrow=False),
    _Column("from", lambda entry, _: _source_host(entry), narrow=False),
    _Column("here", lambda _, fetched: "yes" if fetched else "no"),
)


class _FetchProgress:
    """Shows a fetch on standard error, with a bar if that is a terminal."""

    def __init__(self) -> None:
        self._bar = Progress(
            text_column("fetching"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=errors,
            disable=not errors.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "_FetchProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def source(self, where: str) -> None:
        print_line(f"from {where}", errors)

    def progress(self, done: int, total: int | None) -> None:
        if self._task is None:
            self._task = self._bar.add_task("fetching", total=total)
        self._bar.update(self._task, completed=done, total=total)

    def retry(self, reason: str, wait_s: float) -> None:
        print_line(f"interrupted ({reason}); it continues in {wait_s:.0f} s", errors)

    def waiting(self) -> None:
        print_line("another process fetches the same file; waiting for it", errors)


def _fetched_texts(fetched: Fetched) -> Iterator[str]:
    entry = fetched.entry
    yield f"{entry.name}: {'fetched' if fetched.new else 'was here already'}, {fetched.path}"
    yield f"SHA-256 {fetched.receipt.sha256}"
    if fetched.along:
        yield f"from the same archive: {', '.join(fetched.along)}"
    if entry.kind == "embedder":
        yield (
            f"not calibrated: vultus evaluate FOLDER --embedder {entry.name} measures it on your "
            f"photos, VULTUS_EMBEDDER={entry.name} vultus calibrate FOLDER its error rates"
        )
    elif entry.name in DETECTOR_CARDS:
        yield f"VULTUS_DETECTOR__NAME={entry.name} vultus serve finds faces by it"
    elif entry.kind == "liveness":
        yield f"VULTUS_LIVENESS__NAME={entry.name} vultus serve scores by it; see docs/liveness.md"


def _card_table(entry: CatalogueEntry, weights_dir: Path) -> Table:
    # Folded and not cut off, since a digest or an address is of use only as a whole.
    columns = Column(no_wrap=True), Column(overflow="fold")
    table = Table(*columns, show_header=False, title=entry.name, box=None, padding=(0, 2, 0, 0))
    for key, value in _card_rows(entry, _receipt(entry, weights_dir), weights_dir):
        table.add_row(key, value)
    return table


def _card_rows(
    entry: CatalogueEntry, receipt: Receipt | None, weights_dir: Path
) -> list[tuple[str, str]]:
    rows = [
        ("what", entry.description),
        ("kind", entry.kind),
        ("licence", f"{entry.license.name}: {entry.license.url}"),
        ("terms", entry.license.terms),
        ("commercial use", entry.license.commercial),
        ("training data", entry.training_data),
        ("size", f"{entry.bytes} bytes" if entry.bytes else f"{_size(entry)} MB"),
        ("SHA-256", entry.sha256 or "not stated by any source"),
        *(("published", f"{one.benchmark}: {one.value} % ({one.source})") for one in entry.figures),
        *(("from", _source_text(source)) for source in entry.sources),
        *((("recipe", entry.recipe),) if entry.recipe else ()),
        *_input_rows(entry),
        *(("checked in", fact) for fact in entry.facts),
        ("fetched", "no"),
    ]
    if receipt is not None:
        accepted = receipt.license_accepted
        rows[-1] = ("fetched", f"{receipt.fetched} from {receipt.source}")
        rows.append(("file", str(file_of(entry.name, weights_dir))))
        if accepted is not None:
            rows.append(("licence accepted", accepted))
    return rows


def _input_rows(entry: CatalogueEntry) -> list[tuple[str, str]]:
    card = entry.embedder or entry.detector or entry.liveness
    assert card is not None
    return [(name.replace("_", " "), _text(value)) for name, value in card.model_dump().items()]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _source_text(source: Source) -> str:
    return source.url + (f" ({source.member} in it)" if source.member else "")


def _to_json(entry: CatalogueEntry, weights_dir: Path) -> dict[str, Any]:
    receipt = _receipt(entry, weights_dir)
    return {
        **entry.model_dump(mode="json"),
        "needs_acceptance": entry.needs_acceptance,
        "fetched": None if receipt is None else receipt.model_dump(mode="json"),
    }


def _receipt(entry: CatalogueEntry, weights_dir: Path) -> Receipt | None:
    try:
        return find_receipt(entry, weights_dir)
    except WeightsError as error:
        raise startup_error(error) from error


def _first_figure(entry: CatalogueEntry) -> str:
    if not entry.figures:
        return ""
    first = entry.figures[0]
    return f"{first.benchmark}: {first.value} %"


def _size(entry: CatalogueEntry) -> str:
    """Return the size in megabytes; rounded if no source states it to the byte."""
    if entry.bytes is not None:
        return f"{entry.bytes / 1e6:.1f}"
    return "" if entry.about_bytes is None else f"~{entry.about_bytes / 1e6:.0f}"
