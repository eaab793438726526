"""The console in a real browser: what Start loads, and the list of a large gallery.

    python -m benchmarks console [--people 100000] [--pages 50] [--rounds 10] [--quick]

One `vultus serve` on SQLite, and one Chromium without windows on the same cores: each takes time
from the other. Start and People are opened with an empty cache, `--rounds` times each, from the
navigation until the title or the first rows are painted. Start is opened again when the browser has
its files. Then all pages of People are gone through, one click after the other; on the third, a
person is opened, and Back must lead to the same page and row. The heap is read after a collection
of garbage.

People are synthetic: random embeddings, enrolled over HTTP.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import serving
from benchmarks.speed.console_browser import started_browser
from benchmarks.speed.console_people import PeopleFigures, enroll_people, measure_people
from benchmarks.speed.console_start import StartFigures, measure_start
from tests.console.browsers import REASON, find_browser

_PAGE_ROWS = 50


def main() -> None:
    parser = benchmark_parser(__doc__, quick="5,000 people, 20 pages, 3 rounds")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=50, help="pages of the list to go through")
    parser.add_argument("--rounds", type=int, default=10, help="openings with an empty cache")
    options = parse_options(parser)
    people, pages, rounds = options.people, options.pages, options.rounds
    if options.quick:
        people, pages, rounds = (200, 3, 1) if options.smoke else (5_000, 20, 3)
    pages = min(pages, (people - 1) // _PAGE_ROWS)
    print_machine()
    executable = find_browser()
    if executable is None:
        console.print(f"Skipped: {REASON}", highlight=False)
        print_figures("console", {"skipped": REASON})
        return
    # Playwright leaves an event loop in the thread that used it, in which no other could run.
    with ThreadPoolExecutor(1) as thread:
        version, start, listed = thread.submit(
            _measure, executable, people=people, pages=pages, rounds=rounds
        ).result()
    _report(version, start, listed, people=people)


def _measure(
    executable: str, *, people: int, pages: int, rounds: int
) -> tuple[str, StartFigures, PeopleFigures]:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data", VULTUS_LOG__LEVEL="warning") as server,
        started_browser(executable) as browser,
    ):
        url = f"{server.url}/console/"
        measure_start(browser, url, rounds=1)  # the first start of each is not counted
        start = measure_start(browser, url, rounds=rounds)
        enroll_people(server.port, people)
        listed = measure_people(browser, f"{url}#/c/default/people", rounds=rounds, pages=pages)
        return browser.version, start, listed


def _report(version: str, start: StartFigures, listed: PeopleFigures, *, people: int) -> None:
    kb = (start.file_bytes / 1e3, start.header_bytes / 1e3)
    first_heap, *_, last_heap = listed.heap_mb
    heaps = ", ".join(f"{heap:.1f}" for heap in listed.heap_mb)
    rows = [
        (
            "Start: files; kB of them, and of their headers",
            f"{start.files}; {kb[0]:.1f}, {kb[1]:.1f}",
        ),
        ("Start: requests to the API", ", ".join(start.calls)),
        ("Start: usable, empty cache, p50 and slowest", _spread(start.cold_ms)),
        ("Start: usable again, p50 and slowest", _spread(start.warm_ms)),
        ("People: usable, empty cache, p50 and slowest", _spread(listed.first_ms)),
        (
            f"People: next page, {len(listed.next_ms)} times, p50 and slowest",
            _spread(listed.next_ms),
        ),
        ("Back from a person", f"{listed.back_ms:.0f} ms"),
        ("   to the same page, the same row", f"{listed.back_to_page}, {listed.back_to_row}"),
        ("JavaScript heap, every 10 pages", f"{heaps} MB"),
        ("nodes at the first and the last", f"{listed.nodes[0]:,}, {listed.nodes[-1]:,}"),
    ]
    print_table(f"The console in Chromium {version}, {people:,} people", rows)
    figures: dict[str, object] = {
        "people": people,
        "chromium": version,
        "start_files": start.files,
        "start_file_bytes": start.file_bytes,
        "start_header_bytes": start.header_bytes,
        "start_calls": start.calls,
        **_percentiles("start_cold", start.cold_ms),
        **_percentiles("start_warm", start.warm_ms),
        **_percentiles("people_cold", listed.first_ms),
        **_percentiles("people_next", listed.next_ms),
        "back_ms": round(listed.back_ms),
        "back_to_page": listed.back_to_page,
        "back_to_row": listed.back_to_row,
        "heap_growth_mb": round(last_heap - first_heap, 2),
        "heap_mb": [round(heap, 2) for heap in listed.heap_mb],
        "nodes": listed.nodes,
    }
    print_figures("console", figures)


def _spread(times_ms: list[float]) -> str:
    return f"{np.median(times_ms):.0f} and {max(times_ms):.0f} ms"


def _percentiles(name: str, times_ms: list[float]) -> dict[str, int]:
    return {
        f"{name}_p50_ms": round(float(np.median(times_ms))),
        f"{name}_max_ms": round(max(times_ms)),
    }
