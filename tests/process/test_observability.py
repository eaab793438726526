"""A real server process, as who runs it sees it: its log, its figures, `vultus top`."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.kit import photos
from tests.kit.forked_vultus import run_vultus
from tests.kit.server import ServerProcess, running

KEY = "key-that-nobody-may-read"
IDENTIFY = "/v1/collections/default/identify"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("observed"), VULTUS_API_KEYS=KEY) as started:
        yield started


def _top(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
    environment |= {"COLUMNS": "120", **variables}
    return run_vultus("top", "--once", *arguments, env=environment)


def _stats(server: ServerProcess) -> dict[str, Any]:
    answer = httpx2.get(f"{server.url}/v1/stats", headers={"x-api-key": KEY}, timeout=60)
    assert answer.status_code == 200, answer.text
    stats: dict[str, Any] = answer.json()
    return stats


def test_log_holds_no_image_no_embedding_and_no_key(tmp_path: Path) -> None:
    """Requests that work, that fail and that do not parse, at debug level."""
    photo = photos.encoded(photos.astronaut())
    text = base64.b64encode(photo).decode("ascii")
    with running(tmp_path, VULTUS_LOG__LEVEL="debug", VULTUS_API_KEYS=KEY) as server:
        with httpx2.Client(base_url=server.url, headers={"x-api-key": KEY}, timeout=60) as client:
            embedded = client.post("/v1/embed", files={"image": photo}).json()
            (embedding,) = [face["embedding"] for face in embedded["faces"]]
            identities = "/v1/collections/default/identities"
            for answer, status in (
                (client.post(identities, data={"name": "a"}, files={"images": photo}), 201),
                (client.post(IDENTIFY, json={"image": text}), 200),
                (client.post(IDENTIFY, json={"image": text, "no_such_option": 1}), 422),
                (client.post(IDENTIFY, json={"image": "!" + text}), 422),
                (client.post(IDENTIFY, content=text), 415),
                (client.post(IDENTIFY, files={"image": photo[:500]}), 422),
                (
                    client.post(
                        "/v1/collections/default/search", json={"embedding": [*embedding, 0.5]}
                    ),
                    422,
                ),
                (client.get("/v1/info", headers={"x-api-key": "wrong" + KEY}), 401),
                (client.get(f"/v1/info?x-api-key={KEY}"), 200),
            ):
                assert answer.status_code == status, answer.text
        server.stop()
        log = "".join(server.log)
        _assert_one_format(server)
    assert '"route": "/v1/embed"' in log
    assert KEY not in log
    assert "JFIF" not in log
    assert repr(photo[1000:1016])[2:-1] not in log
    for start in range(0, len(text) - 24, 24):
        assert text[start : start + 24] not in log
    for value in embedding:
        assert str(value) not in log


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_top_says_when_there_is_no_server(url: str) -> None:
    shown = _top("--url", url)
    assert shown.returncode == 1
    assert "--url" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_stats_and_top_tell_what_the_server_did(server: ServerProcess) -> None:
    photo = photos.encoded(photos.hopper())
    collection = "/v1/collections/stats"
    route = "POST /v1/collections/{collection}/identify"
    before = _stats(server)
    with httpx2.Client(base_url=server.url, headers={"x-api-key": KEY}, timeout=60) as client:
        client.post("/v1/collections", json={"name": "stats"}).raise_for_status()
        client.post(f"{collection}/identities", files={"images": photo}).raise_for_status()
        for _ in range(3):
            client.post(f"{collection}/identify", files={"image": photo}).raise_for_status()
    stats = _stats(server)
    (worker,) = server.worker_ids
    assert stats["pid"] == worker
    took = stats["routes"][route]
    assert took["count"] == before["routes"].get(route, {"count": 0})["count"] + 3
    assert 0 < took["p50_ms"] <= took["p95_ms"] <= took["p99_ms"]
    assert stats["requests_in_progress"] == 1
    assert stats["requests_per_s"] > 0
    matches_before = before["decisions"].get("identify", {}).get("match", 0)
    assert stats["decisions"]["identify"]["match"] == matches_before + 3
    faces = before["index"]["faces"] + 1
    assert stats["index"] == {
        "faces": faces,
        "collections": 2,
        "revisions_behind": 0,
        "unreadable_faces": 0,
    }
    assert stats["queue"]["photos_pending"] == 0
    assert stats["queue"]["photo_capacity"] > 256
    assert stats["resident_bytes"] > 100_000_000
    assert (stats["device"], stats["device_memory_bytes"]) == ("cpu", None)

    shown = _top("--url", server.url, VULTUS_API_KEYS=f"{KEY}, another")
    assert shown.returncode == 0, shown.stderr
    decided = stats["decisions"]["identify"]["match"]
    assert f"{faces} faces, 2 collections, 0 revisions behind" in shown.stdout
    assert f"identify: {decided} match" in shown.stdout
    assert "POST /v1/collections/{collection}/identify" in shown.stdout
    as_json = json.loads(_top("--url", server.url, "--api-key", KEY, "--json").stdout)
    assert as_json.keys() == stats.keys()
    refused = _top("--url", server.url)
    assert refused.returncode == 1
    assert "--api-key" in refused.stderr


def test_metrics_tell_of_the_process_that_answers(server: ServerProcess) -> None:
    text = httpx2.get(f"{server.url}/metrics", timeout=60).text
    (worker,) = server.worker_ids
    assert f'vultus_process_info{{pid="{worker}"' in text
    for name in (
        "process_resident_memory_bytes",
        "python_gc_collections_total",
        "vultus_index_revisions_behind 0.0",
        "vultus_photo_capacity",
    ):
        assert name in text


def test_every_line_of_the_log_has_one_format(server: ServerProcess) -> None:
    """This includes Uvicorn's lines. Those of a request have its id, and the last one its times."""
    photo = photos.encoded(photos.hopper())
    httpx2.post(
        server.url + IDENTIFY,
        files={"image": photo},
        headers={"x-request-id": "till-7", "x-api-key": KEY},
        timeout=60,
    )
    request = server.wait_for_request("till-7")
    _assert_one_format(server)
    assert request["status"] == 200
    stages = {name for name in request if name.endswith("_ms")}
    assert stages == {f"{stage}_ms" for stage in ("decode", "queue", "detect", "embed", "search")}


def _assert_one_format(server: ServerProcess) -> None:
    lines = [json.loads(line) for line in server.log]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert any(line["event"].startswith("Uvicorn running") for line in lines)
