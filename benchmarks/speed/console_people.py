"""The list of people in a large gallery: its pages, the way back, and the memory of the browser."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from playwright.sync_api import Browser, Page

from benchmarks.kit.vectors import name_of, unit_vectors
from benchmarks.kit.wire import BATCH, JSON_LINES, AnswerError, Wire
from benchmarks.speed.console_browser import Memory, new_context, open_until_shown

_ROW = "tr[data-row]"
_SEED = 0
_REQUEST_PEOPLE = 20_000
_MEMORY_EVERY = 10
_ROW_TO_OPEN = 29
_PAGE_TO_LEAVE = 3
_SAME_PLACE_PX = 2

# Clicks, and returns the milliseconds until other rows are painted than those before.
_CLICK_NEXT = """
() => new Promise((resolve) => {
  const first = () => document.querySelector("tr[data-row]")?.dataset.row;
  const before = first();
  const started = performance.now();
  document.querySelector("nav.pager a.button:last-of-type").click();
  const look = () => {
    const row = first();
    const busy = document.querySelector("table[aria-busy]") !== null;
    if (row === undefined || row === before || busy) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  };
  look();
})
"""
_GO_BACK = """
(row) => new Promise((resolve) => {
  const started = performance.now();
  history.back();
  const look = () => {
    if (!document.querySelector(`tr[data-row="${row}"]`)) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  };
  look();
})
"""
_TOP_OF = "(row) => document.querySelector(`tr[data-row='${row}']`)?.getBoundingClientRect().top"


@dataclass(slots=True)
class PeopleFigures:
    first_ms: list[float] = field(default_factory=list)
    """Milliseconds until the first rows are painted, with an empty cache."""
    next_ms: list[float] = field(default_factory=list)
    back_ms: float = 0.0
    back_to_page: bool = False
    """Whether Back led to the address of the same page of the list."""
    back_to_row_px: float = float("inf")
    """How far the row that had been opened was from where it had been, after Back."""
    heap_mb: list[float] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)

    @property
    def back_to_row(self) -> bool:
        return self.back_to_row_px <= _SAME_PLACE_PX


def enroll_people(port: int, count: int) -> None:
    """Enroll synthetic people with names. Raises AnswerError if any is rejected."""
    generator = np.random.default_rng(_SEED)
    with Wire(port) as wire:
        for first in range(0, count, _REQUEST_PEOPLE):
            some = min(_REQUEST_PEOPLE, count - first)
            lines = _lines(first, some, generator)
            status, answer = wire.ask("POST", BATCH, lines, JSON_LINES)
            if status != 200 or answer.count(b'"status":"enrolled"') != some:
                raise AnswerError(f"{status}: not all were enrolled")


def _lines(first: int, count: int, generator: np.random.Generator) -> Iterator[bytes]:
    for number, vector in enumerate(unit_vectors(count, generator), start=first):
        person = {
            "external_id": name_of(number),
            "name": f"Synthetic Person {number:,}",
            "embeddings": [b64encode(vector.astype("<f4").tobytes()).decode("ascii")],
        }
        yield json.dumps(person).encode("ascii") + b"\n"


def measure_people(browser: Browser, url: str, *, rounds: int, pages: int) -> PeopleFigures:
    figures = PeopleFigures()
    for _ in range(rounds):
        with new_context(browser) as context:
            figures.first_ms.append(open_until_shown(context.new_page(), url, _ROW))
    with new_context(browser) as context:
        page = context.new_page()
        open_until_shown(page, url, _ROW)
        memory = Memory(page)
        for number in range(pages):
            if number % _MEMORY_EVERY == 0:
                figures.heap_mb.append(memory.heap_mb())
                figures.nodes.append(memory.nodes())
            figures.next_ms.append(page.evaluate(_CLICK_NEXT))
            if number == min(_PAGE_TO_LEAVE, pages) - 1:
                _leave_and_return(page, figures)
        figures.heap_mb.append(memory.heap_mb())
        figures.nodes.append(memory.nodes())
    return figures


def _leave_and_return(page: Page, figures: PeopleFigures) -> None:
    """Open a person in the middle of the list, and go back."""
    rows = page.locator(_ROW)
    opened = rows.nth(min(_ROW_TO_OPEN, rows.count() - 1))
    opened.scroll_into_view_if_needed()
    key = opened.get_attribute("data-row")
    address, top = page.url, page.evaluate(_TOP_OF, key)
    opened.locator("a").first.click()
    page.wait_for_function("() => document.querySelector('tr[data-row]') === null")
    figures.back_ms = page.evaluate(_GO_BACK, key)
    figures.back_to_page = page.url == address
    after = page.evaluate(_TOP_OF, key)
    figures.back_to_row_px = abs(after - top)
