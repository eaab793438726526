"""The console's files over HTTP: types, headers, entity tags, paths, and the settings."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.console import STATIC
from scripts.vendor import LIST

CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
TYPES = {
    "": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def _files() -> list[Path]:
    return sorted(file.relative_to(STATIC) for file in STATIC.rglob("*") if file.is_file())


def test_every_file_has_its_type_and_the_headers_of_its_page(client: TestClient) -> None:
    for file in _files():
        is_docs = file.parts[0] == "docs"
        answer = client.get(f"/{file.as_posix()}" if is_docs else f"/console/{file.as_posix()}")
        assert answer.status_code == 200, file
        assert answer.content == (STATIC / file).read_bytes()
        assert answer.headers["content-type"] == TYPES[file.suffix], file
        assert answer.headers["content-security-policy"] == (
            DOCS_POLICY if is_docs else CONSOLE_POLICY
        )
        assert answer.headers["permissions-policy"] == (
            f"camera=({'' if is_docs else 'self'}), microphone=(), geolocation=()"
        )
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "set-cookie" not in answer.headers


def test_pages_are_answered_at_their_addresses(client: TestClient) -> None:
    assert client.get("/console/").content == (STATIC / "index.html").read_bytes()
    assert client.get("/docs").content == (STATIC / "docs" / "index.html").read_bytes()
    # Relative: a proxy may have stripped a prefix that the service does not know.
    moved = client.get("/console", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (307, "console/")
    assert client.get("/docs/").url.path == "/docs"
    assert client.get("/console//").url.path == "/console/"
    assert client.get("/redoc").status_code == 404


def test_a_file_that_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/console/vendor/preact.js")
    again = client.get(
        "/console/vendor/preact.js", headers={"if-none-match": f"W/{first.headers['etag']}"}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == CONSOLE_POLICY
    other = client.get("/console/vendor/preact.js", headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    head = client.head("/console/vendor/preact.js")
    assert (head.content, head.headers["etag"]) == (b"", first.headers["etag"])


def test_text_is_compressed_for_clients_that_accept_it(client: TestClient) -> None:
    """Each form has a tag of its own, so that no cache mixes them up."""
    path, content = "/console/vendor/preact.js", (STATIC / "vendor" / "preact.js").read_bytes()
    plain = client.get(path, headers={"accept-encoding": "identity"})
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert (plain.content, packed.content) == (content, content)
    assert "content-encoding" not in plain.headers
    refused = client.get(path, headers={"accept-encoding": "br, gzip;q=0"})
    assert "content-encoding" not in refused.headers
    weighted = client.get(path, headers={"accept-encoding": "gzip;q=0.5, br"})
    assert weighted.headers["content-encoding"] == "gzip"
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(content) / 2
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    for answer, encoding in ((plain, "identity"), (packed, "gzip")):
        again = client.get(
            path,
            headers={"accept-encoding": encoding, "if-none-match": answer.headers["etag"]},
        )
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/console/none.js",
        "/console/vendor",
        "/console/%2e%2e/__init__.py",
        "/console/..%2f..%2fsettings.py",
        "/console/..%5c__init__.py",
        "/console/%2fetc%2fpasswd",
        "/console/vendor/preact.js%00",
        "/console/docs/index.html",
        "/docs/../vendor/preact.js",
        "/docs/%2e%2e/vendor/preact.js",
    ],
)
def test_nothing_but_the_files_is_answered(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_other_methods_are_refused_as_everywhere(client: TestClient) -> None:
    answer = client.post("/console/vendor/htm.js")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def _counted(client: TestClient, route: str) -> float:
    sample = f'vultus_requests_total{{method="GET",route="{route}",status="200"}} '
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(sample)) for line in lines if line.startswith(sample))


def test_files_need_no_key_and_are_counted_under_one_name(
    with_settings: Callable[..., TestClient], capsys: pytest.CaptureFixture[str]
) -> None:
    client = with_settings(
        api_keys="key",
        limits={"requests_per_s": 0.001, "requests_burst": 1},
        log={"level": "debug"},
    )
    before = {route: _counted(client, route) for route in ("console", "docs")}
    for _ in range(3):  # no rate limit counts them
        assert client.get("/console/?secret=1").status_code == 200
        assert client.get("/console/vendor/htm.js?secret=1").status_code == 200
        assert client.get("/docs?secret=1").status_code == 200
    assert _counted(client, "console") == before["console"] + 6
    assert _counted(client, "docs") == before["docs"] + 3
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ours = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in ours].count("console") == 6
    files = [line for line in ours if line["route"] in ("console", "docs")]
    assert {line["level"] for line in files} == {"debug"}  # a page is some sixty of them
    assert "secret" not in str(ours)


def test_console_can_be_turned_off(with_settings: Callable[..., TestClient]) -> None:
    client = with_settings(console={"enabled": False})
    for path in ("/console", "/console/", "/console/vendor/htm.js"):
        assert client.get(path).status_code == 404
    root = client.get("/", headers={"accept": "text/html"}, follow_redirects=False)
    assert root.headers["location"] == "docs"
    assert "console" not in client.get("/").json()


def test_description_of_the_api_can_be_turned_off(with_settings: Callable[..., TestClient]) -> None:
    client = with_settings(docs={"enabled": False})
    for path in ("/docs", "/docs/start.js", "/openapi.json"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "see /docs" not in answer.json()["detail"]
    assert {"documentation", "openapi"}.isdisjoint(client.get("/").json())
    both = with_settings(docs={"enabled": False}, console={"enabled": False})
    assert both.get("/", headers={"accept": "text/html"}).json()["name"] == "Vultus"


def test_vendored_files_are_those_that_were_fetched() -> None:
    listed = {entry["file"]: entry for entry in json.loads(LIST.read_text(encoding="utf-8"))}
    for name, entry in listed.items():
        digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
        assert digest == entry["sha256"], f"{name}: run python -m scripts.vendor"
    ours = {"vendor/LICENSES", "vendor/VENDORED.json"}
    vendored = {file.as_posix() for file in _files() if file.parts[0] == "vendor"}
    assert vendored - ours == {name for name in listed if name.startswith("vendor/")}
