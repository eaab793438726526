"""The service behind a real nginx: links keep the prefix, and callers are known by address."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.kit.nginx import NGINX, WITHOUT_NGINX, nginx_before
from tests.kit.server import ServerProcess, running

TIMEOUT_S = 60
PROXY = "127.0.0.1"
"""Its address, as the service sees it."""
ONE, OTHER = "127.0.0.2", "127.0.0.3"
"""Addresses of clients, as the proxy sees them; Linux has all of 127.0.0.0/8."""

pytestmark = pytest.mark.skipif(NGINX is None, reason=WITHOUT_NGINX)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("behind-nginx")
    with running(
        folder,
        VULTUS_ROOT_PATH="/faces",
        VULTUS_TRUSTED_PROXIES=PROXY,
        # So slow that no token comes while the tests run.
        VULTUS_LIMITS__REQUESTS_PER_S="0.001",
        VULTUS_LIMITS__REQUESTS_BURST="2",
    ) as started:
        yield started


@pytest.fixture(scope="module")
def proxies(
    server: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """URLs of the prefix: by a proxy that strips it, and by one that passes it on."""
    with nginx_before(server.url, tmp_path_factory.mktemp("nginx")) as urls:
        yield urls


@pytest.mark.parametrize("way", ["stripping", "keeping"])
def test_links_lead_through_the_proxy(proxies: dict[str, str], way: str) -> None:
    root = proxies[way]
    with httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S) as browser:
        console = browser.get(f"{root}/", headers={"accept": "text/html"})
        assert str(console.url) == f"{root}/console/"
        assert browser.get(f"{root}/console").url == console.url
        described = browser.get(f"{root}/openapi.json").json()
        assert described["servers"] == [{"url": "/faces"}]
        for link in browser.get(f"{root}/").json().values():
            if link.startswith("/faces/"):
                assert browser.get(str(console.url.join(link))).status_code == 200
        health = browser.get(f"{root}//healthz/")
        assert str(health.url) == f"{root}/healthz"


def test_callers_are_told_apart_by_what_a_trusted_proxy_says(
    proxies: dict[str, str], server: ServerProcess
) -> None:
    def statuses(url: str, address: str, count: int, **headers: str) -> list[int]:
        transport = httpx2.HTTPTransport(local_address=address)
        with httpx2.Client(transport=transport, timeout=TIMEOUT_S, headers=headers) as client:
            return [client.get(f"{url}/v1/info").status_code for _ in range(count)]

    forged = {"x-forwarded-for": "192.0.2.1"}
    assert statuses(proxies["stripping"], ONE, 3) == [200, 200, 429]
    assert statuses(proxies["keeping"], ONE, 1, **forged) == [429]
    assert statuses(proxies["keeping"], OTHER, 3) == [200, 200, 429]
    # Without the proxy, no header is trusted.
    assert statuses(server.url, ONE, 1, **forged) == [429]
