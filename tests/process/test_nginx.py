"""The service behind a real nginx: links keep the prefix, and callers are known by address."""

import shutil
import socket
import subprocess
from collections.abc import Iterator

import httpx2
import pytest

from tests.kit.server import ServerProcess, running

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin")
TIMEOUT_S = 60
PROXY = "127.0.0.1"
"""Its address, as the service sees it."""
ONE, OTHER = "127.0.0.2", "127.0.0.3"
"""Addresses of clients, as the proxy sees them; Linux has all of 127.0.0.0/8."""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (nginx-light)")

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    server {{
        listen 127.0.0.1:{stripping};
        location /faces/ {{ proxy_pass {url}/; }}
    }}
    server {{
        listen 127.0.0.1:{keeping};
        location /faces {{ proxy_pass {url}; }}
    }}
}}
"""


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
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    stripping, keeping = _free_port(), _free_port()
    configuration = CONFIGURATION.format(
        folder=folder, stripping=stripping, keeping=keeping, url=server.url
    )
    (folder / "nginx.conf").write_text(configuration)
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    urls = {
        "stripping": f"http://127.0.0.1:{stripping}/faces",
        "keeping": f"http://127.0.0.1:{keeping}/faces",
    }
    try:
        for url in urls.values():
            _wait_until_it_answers(f"{url}/healthz", process)
        yield urls
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            httpx2.get(url, timeout=TIMEOUT_S).raise_for_status()
        except httpx2.ConnectError:
            continue
        return
    raise AssertionError("nginx has ended")


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
