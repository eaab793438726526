"""Behind a real nginx with a prefix, every page works: all of its addresses are relative."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Serve
from tests.console.modules import navigation
from tests.console.watched_pages import WatchedPages
from tests.kit.nginx import NGINX, WITHOUT_NGINX, nginx_before

pytestmark = pytest.mark.skipif(NGINX is None, reason=WITHOUT_NGINX)


@pytest.fixture(scope="module")
def published(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Prefixes by what the proxy and the service know of them."""
    knows, ignores = serve(root_path="/faces"), serve()
    with (
        nginx_before(knows.origin, tmp_path_factory.mktemp("nginx")) as urls,
        nginx_before(ignores.origin, tmp_path_factory.mktemp("nginx")) as of_ignorant,
    ):
        yield urls | {"unknown to the service": of_ignorant["stripping"]}


@pytest.mark.parametrize("way", ["stripping", "keeping", "unknown to the service"])
def test_every_page_works_below_a_prefix(
    page: Page, published: dict[str, str], watched: WatchedPages, way: str
) -> None:
    root = published[way]
    page.goto(f"{root}/")
    expect(page).to_have_url(f"{root}/console/")
    expect(page.locator("h1")).to_be_visible()
    for name in navigation():
        page.goto(f"{root}/console/#/c/default/{name}")
        expect(page.locator("main[aria-busy=true]")).to_have_count(0)
        expect(page.locator("h1")).to_have_count(1)
    assert [sent for sent in watched.requests if f" {root}/" not in sent] == []
    assert f"GET {root}/v1/info" in watched.requests


def test_docs_send_requests_below_a_prefix_that_only_the_proxy_knows(
    page: Page, published: dict[str, str], watched: WatchedPages
) -> None:
    root = published["unknown to the service"]
    page.goto(f"{root}/docs")
    health = page.locator("#operations-system-check_health")
    health.get_by_role("button").first.click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    expect(health.locator(".live-responses-table")).to_contain_text('"status": "ok"')
    assert f"GET {root}/healthz" in watched.requests
