"""/docs in a browser that can reach nothing but the service."""

from playwright.sync_api import Page, expect

from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages


def test_docs_show_every_operation_and_send_requests(
    page: Page, server: ConsoleServer, watched: WatchedPages
) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]
    page.goto(f"{server.origin}/docs")
    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in paths.values()))
    health = page.locator("#operations-system-check_health")
    health.get_by_role("button").first.click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    live = health.locator(".live-responses-table")
    expect(live).to_contain_text("200")
    expect(live).to_contain_text('"status": "ok"')
    assert f"GET {server.origin}/healthz" in watched.requests
