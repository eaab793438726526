"""Going from page to page of the console, as a click does: its files are not loaded anew."""

from playwright.sync_api import Page, expect

_AT_REST = """() => new Promise((done) => {
  const rest = () => { watch.disconnect(); done(); };
  let timer = setTimeout(rest, 100);
  const watch = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(rest, 100); });
  watch.observe(document.body, { subtree: true, childList: true, attributes: true });
})"""
"""Answers when nothing has changed for a tenth of a second: what was asked for is drawn."""


def walk_to(page: Page, address: str) -> None:
    """Open an address, and wait until its page has its title and nothing of it is loading."""
    if page.url.partition("?")[0] == address.partition("?")[0]:
        page.goto("about:blank")  # it keeps its title when only parameters change
    page.evaluate("() => document.querySelector('h1')?.setAttribute('data-former', '')")
    page.goto(address)
    expect(page.locator("h1:not([data-former])")).to_be_visible()
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)
    page.evaluate(_AT_REST)
