"""Hostile and careless callers of a real server: others are answered, and nothing is given away.

Uploads, headers and bodies that cost more than their bytes are in `test_uploads.py`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.people import JSON_LINES, as_base64, embedding, lines
from tests.kit import photos
from tests.kit.forked_vultus import run_vultus
from tests.kit.programs import server_environment
from tests.kit.server import ServerProcess, running

COLLECTION = "/v1/collections/default"
KEYS = ("a" * 32, "b" * 32)
_TIMEOUT_S = 60
_PEOPLE = 2_000
_NAME = "[/nope] [red]red[/red] \x1b[2J\x1b]0;owned\x07x\ntwo lines"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without keys, with people."""
    with running(tmp_path_factory.mktemp("open")) as started:
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
