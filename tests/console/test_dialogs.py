"""Dialogs of all pages: opened, closed in each way that a browser has, and opened again."""

from playwright.sync_api import Page, expect

from tests.console.console_server import ConsoleServer


def test_a_dialog_that_the_browser_closed_opens_again(page: Page, server: ConsoleServer) -> None:
    """A second Escape closes a dialog without the event that a page can refuse."""
    page.goto(server.at("start"))
    help_ = page.get_by_role("button", name="Help")
    dialog = page.get_by_role("dialog")
    for close in ("() => document.querySelector('dialog').close()", None):
        help_.click()
        expect(dialog).to_be_visible()
        if close is None:
            page.keyboard.press("Escape")
        else:
            page.evaluate(close)
        expect(page.locator("dialog")).to_have_count(0)
        expect(help_).to_be_focused()
