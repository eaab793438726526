"""Hostile and careless callers of a real server: others are answered, and nothing is given away.

Uploads, headers and bodies that cost more than their bytes are in `test_uploads.py`.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.api.stream_places import MOST_OF_A_CALLER
from tests.api.people import JSON_LINES, as_base64, embedding, like, lines
from tests.kit import photos
from tests.kit.forked_vultus import run_vultus
from tests.kit.programs import server_environment
from tests.kit.raw_http import RawConnection
from tests.kit.server import ServerProcess, running

COLLECTION = "/v1/collections/default"
KEYS = ("a" * 32, "b" * 32)
_TIMEOUT_S = 60
_PEOPLE = 2_000
_NAME = "[/nope] [red]red[/red] \x1b[2J\x1b]0;owned\x07x\ntwo lines"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without keys, with people."""
    with running(
        tmp_path_factory.mktemp("open"), VULTUS_LIMITS__SEARCHES_PER_PERSON="3"
    ) as started:
        people = [
            {"external_id": f"p{n}", "embeddings": [as_base64(embedding(n))]}
            for n in range(_PEOPLE)
        ]
        _ask(
            started,
            "POST",
            f"{COLLECTION}/identities:batch",
            content=lines(*people),
            headers=JSON_LINES,
        ).raise_for_status()
        yield started


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two keys."""
    with running(tmp_path_factory.mktemp("guarded"), VULTUS_API_KEYS=",".join(KEYS)) as started:
        yield started


def _ask(server: ServerProcess, method: str, path: str, **options: Any) -> httpx2.Response:
    return httpx2.request(method, server.url + path, timeout=_TIMEOUT_S, **options)


def test_long_jobs_are_refused_beyond_one_and_others_are_answered(
    open_server: ServerProcess,
) -> None:
    search = {"embedding": embedding(7)}
    with ThreadPoolExecutor(8) as callers:
        jobs = [
            callers.submit(_ask, open_server, "POST", f"{COLLECTION}/calibration") for _ in range(8)
        ]
        for method, path, body in (
            ("POST", f"{COLLECTION}/search", search),
            ("GET", "/readyz", None),
            ("GET", f"{COLLECTION}/identities", None),
        ):
            assert _ask(open_server, method, path, json=body).status_code == 200
        answers = [job.result() for job in jobs]
    codes = [answer.json().get("code", "done") for answer in answers]
    assert set(codes) == {"done", "busy"}
    assert all(
        "retry-after" in answer.headers
        for answer, code in zip(answers, codes, strict=True)
        if code == "busy"
    )


def test_no_similarity_of_random_searches_is_answered(open_server: ServerProcess) -> None:
    (victim,) = _ask(
        open_server, "GET", f"{COLLECTION}/identities", params={"external_id": "p1"}
    ).json()["identities"]
    for seed in range(1_000_000, 1_000_020):
        answer = _ask(
            open_server,
            "POST",
            f"{COLLECTION}/search",
            json={
                "embedding": embedding(seed),
                "filter": {"identity_ids": [victim["id"]]},
                "top_k": 1,
            },
        ).json()
        exact = [c["similarity"] for c in answer["candidates"] if c["similarity"] is not None]
        assert exact == [] or exact[0] >= answer["shown_from"] > 0.2


def test_limit_of_searches_is_the_same_from_every_address(open_server: ServerProcess) -> None:
    port = int(open_server.url.rsplit(":", 1)[1])
    body = json.dumps({"embedding": like(embedding(5), 0.6), "top_k": 1}).encode()
    statuses = []
    for number in range(2, 6):
        with RawConnection("127.0.0.1", port, source=f"127.0.0.{number}") as connection:
            head = (
                f"POST {COLLECTION}/search HTTP/1.1\r\nhost: localhost\r\n"
                f"x-forwarded-for: 10.0.0.{number}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n\r\n"
            )
            connection.socket.sendall(head.encode() + body)
            statuses.append(connection.answer()[0])
    assert statuses == [200, 200, 200, 429]


def test_streams_of_events_leave_connections_to_others(guarded_server: ServerProcess) -> None:
    port = int(guarded_server.url.rsplit(":", 1)[1])
    stream = f"GET /v1/events HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEYS[0]}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(MOST_OF_A_CALLER):
            opened = stack.enter_context(RawConnection("127.0.0.1", port))
            opened.socket.sendall(stream.encode())
            assert opened.socket.recv(100).startswith(b"HTTP/1.1 200")
        refused = _ask(guarded_server, "GET", "/v1/events", headers={"x-api-key": KEYS[0]})
        assert refused.json()["code"] == "too_many_at_once"
        other = {"x-api-key": KEYS[1]}
        wait = {"wait_s": 0}
        assert _ask(guarded_server, "GET", "/v1/events", params=wait, headers=other).is_success
    own = {"x-api-key": KEYS[0]}
    for _ in range(1_000):  # until the server has seen that they are closed
        if _ask(guarded_server, "GET", "/v1/events", params=wait, headers=own).is_success:
            break
    else:
        pytest.fail("streams that have ended keep their places")


def test_pages_and_names_of_others_do_nothing_on_this_machine(open_server: ServerProcess) -> None:
    port = open_server.url.rsplit(":", 1)[1]
    rebound = {"host": f"evil.example:{port}", "origin": f"http://evil.example:{port}"}
    cross = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    form = {"name": (None, "CEO")}
    for headers, code in ((rebound, "host_unknown"), (cross, "cross_site")):
        for method, path in (
            ("GET", f"{COLLECTION}/identities"),
            ("POST", f"{COLLECTION}/identities"),
            ("DELETE", f"{COLLECTION}/identities/ext:p1"),
            ("GET", "/v1/collections/"),
        ):
            options = {"files": form} if method == "POST" else {}
            answer = _ask(open_server, method, path, headers=headers, **options)
            assert answer.json()["code"] == code
            assert "evil" not in answer.headers.get("location", "")
    found = _ask(open_server, "GET", f"{COLLECTION}/identities", params={"external_id": "p1"})
    assert len(found.json()["identities"]) == 1


def test_each_of_several_hosts_has_to_be_known(open_server: ServerProcess) -> None:
    port = int(open_server.url.rsplit(":", 1)[1])
    for hosts in (("localhost", "evil.example"), ("evil.example", "localhost")):
        head = "".join(f"host: {host}\r\n" for host in hosts)
        with RawConnection("127.0.0.1", port) as connection:
            connection.socket.sendall(f"GET /v1/collections HTTP/1.1\r\n{head}\r\n".encode())
            assert connection.answer()[2]["code"] == "host_unknown"


def test_lines_that_are_nothing_are_not_answered_one_by_one(open_server: ServerProcess) -> None:
    url = f"{COLLECTION}/identities:batch"
    refused = _ask(open_server, "POST", url, content=b"1\n" * 100_000, headers=JSON_LINES)
    assert refused.json()["code"] == "invalid_request"
    assert "the first is line 0" in refused.json()["detail"]
    assert len(refused.content) < 2_000
    mixed = lines({"name": "x"}) * 1_500 + b"1\n" * 1_200
    answered = _ask(open_server, "POST", url, content=mixed, headers=JSON_LINES)
    assert answered.text.count('"rejected"') >= 1_200


def test_an_idempotency_key_of_one_caller_is_nothing_to_another(
    guarded_server: ServerProcess,
) -> None:
    secret = {"name": "Alice", "external_id": "acct-1", "attributes": {"iban": "DE99"}}

    def enroll(key: str, person: dict[str, Any]) -> tuple[int, str | None]:
        headers = {"x-api-key": key, "idempotency-key": "order-1"}
        answer = _ask(
            guarded_server, "POST", f"{COLLECTION}/identities", json=person, headers=headers
        )
        return answer.status_code, answer.headers.get("idempotency-replayed")

    assert enroll(KEYS[0], secret) == (201, None)
    assert enroll(KEYS[1], secret) == (409, None)  # its external_id is taken
    assert enroll(KEYS[1], {"name": "Bob", "external_id": "acct-2"}) == (201, None)
    assert enroll(KEYS[0], secret) == (201, "true")


@pytest.mark.parametrize(
    "variables",
    [
        {"VULTUS_API_KEYS": " , "},
        {"VULTUS_API_KEYS": "a"},
        {"VULTUS_API_KEY": "k" * 32},
        {"VULTUS_APIKEYS": "k" * 32},
        {},
    ],
)
def test_a_start_without_keys_that_others_would_reach_is_refused(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    environment = server_environment(tmp_path / "data", 0, VULTUS_HOST="127.0.0.2", **variables)
    done = run_vultus("serve", env=environment, cwd=tmp_path)
    assert done.returncode != 0
    assert "VULTUS_API_KEYS" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_are_text_in_the_terminal(guarded_server: ServerProcess, tmp_path: Path) -> None:
    photo = tmp_path / "hopper.jpg"
    photo.write_bytes(photos.encoded(photos.hopper()))
    _ask(
        guarded_server,
        "POST",
        f"{COLLECTION}/identities",
        data={"name": _NAME},
        files={"images": photo.read_bytes()},
        headers={"x-api-key": KEYS[0]},
    ).raise_for_status()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
    environment |= {"VULTUS_DATA_DIR": str(guarded_server.data_dir), "COLUMNS": "200"}
    done = run_vultus("identify", photo, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not {character for character in done.stdout if character < " "} - {"\n"}
    assert "[/nope]" in done.stdout  # the rest of the name is below it, in its column
    assert "Traceback" not in done.stderr
