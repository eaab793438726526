"""A real nginx before a service: one port that strips the prefix /faces, one that passes it on."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin")
WITHOUT_NGINX = "nginx is not installed (nginx-light)"
_TIMEOUT_S = 60

_CONFIGURATION = """
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


@contextmanager
def nginx_before(url: str, folder: Path) -> Iterator[dict[str, str]]:
    """Publish a service. Yields the URLs of the prefix: `stripping` and `keeping`."""
    assert NGINX is not None
    folder.chmod(0o755)
    stripping, keeping = _free_port(), _free_port()
    configuration = _CONFIGURATION.format(
        folder=folder, stripping=stripping, keeping=keeping, url=url
    )
    (folder / "nginx.conf").write_text(configuration)
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    urls = {
        "stripping": f"http://127.0.0.1:{stripping}/faces",
        "keeping": f"http://127.0.0.1:{keeping}/faces",
    }
    try:
        for published in urls.values():
            _wait_until_it_answers(published, process)
        yield urls
    finally:
        process.terminate()
        process.wait(_TIMEOUT_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """An answer of the service that does not know the prefix is one as well."""
    while process.poll() is None:
        try:
            httpx2.get(f"{url}/healthz", timeout=_TIMEOUT_S)
        except httpx2.ConnectError:
            continue
        return
    raise AssertionError("nginx has ended")
