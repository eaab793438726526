"""Real clients of DeepStack and CodeProject.AI against a real server without keys."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.demo.demo_gallery import PHOTOS
from tests.kit.clients import Call, needs_client, run_client
from tests.kit.photos import coffee, encoded
from tests.kit.server import ServerProcess, running

_A = 0.67
_EILEEN = "Eileen Collins"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("deepstack")) as server:
        yield server


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of photos by name."""
    nobody = tmp_path_factory.mktemp("photos") / "coffee.jpg"
    nobody.write_bytes(encoded(coffee()))
    shipped = {
        path.stem: str(path)
        for path in PHOTOS.glob("*.jpg")
        if path.stem in {"eileen", "eileen_again", "grace", "grace_again", "group"}
    }
    return shipped | {"stranger": str(PHOTOS / "mona_lisa.jpg"), "coffee": str(nobody)}


def _run(program: str, server: ServerProcess, photos: dict[str, str], key: str) -> dict[str, Call]:
    port = urlsplit(server.url).port
    return {call.name: call for call in run_client(program, port=port, key=key, photos=photos)}


def _userids(predictions: list[dict[str, Any]]) -> list[str]:
    return [face["userid"] for face in predictions]


def _is_stranger(predictions: list[dict[str, Any]]) -> bool:
    return [(face["userid"], face["confidence"]) for face in predictions] == [("unknown", 0)]


@needs_client("deepstack-python")
def test_deepstack_python(server: ServerProcess, photos: dict[str, str]) -> None:
    """An empty key is what it sends by itself."""
    calls = _run("deepstack_python", server, photos, key="")
    assert calls["delete before training"].answer is True
    assert len(calls["detect before training"].answer) == 1
    assert calls["register"].answer == "face added"
    assert calls["register a file"].answer == "face added"
    assert calls["register again"].answer == "face updated"
    assert calls["register without a face"].error == "DeepstackException"
    assert calls["list"].answer == [_EILEEN, "Grace"]
    assert _userids(calls["recognize eileen"].answer) == [_EILEEN]
    assert calls["recognize eileen"].answer[0]["confidence"] >= _A
    assert _userids(calls["recognize grace"].answer) == ["Grace"]
    assert _is_stranger(calls["recognize a stranger"].answer)
    assert calls["recognize nobody"].answer == []
    assert set(_userids(calls["recognize several"].answer)) == {_EILEEN, "Grace"}
    assert calls["delete"].answer is True
    assert _is_stranger(calls["recognize who is deleted"].answer)
    assert calls["list the other"].answer == ["Grace"]
    assert calls["delete the other"].answer is True
    assert calls["list nobody"].answer == []


@needs_client("codeproject-ai-api")
def test_codeproject_ai_api(server: ServerProcess, photos: dict[str, str]) -> None:
    calls = _run("codeproject_ai", server, photos, key="")
    assert len(calls["detect"].answer) == 2
    assert calls["register"].answer == "face added"
    assert calls["register the other"].answer == "face added"
    assert calls["list"].answer == [_EILEEN, "Grace"]
    assert set(_userids(calls["recognize several"].answer)) == {_EILEEN, "Grace"}
    assert _is_stranger(calls["recognize a stranger"].answer)
    assert calls["recognize nobody"].answer == []
    assert calls["delete"].answer is True
    assert _is_stranger(calls["recognize who is deleted"].answer)
    assert calls["delete the other"].answer is True
    assert calls["list nobody"].answer == []


@needs_client("deepstack-sdk")
def test_deepstack_sdk(server: ServerProcess, photos: dict[str, str]) -> None:
    """It demands 0.7 of a recognition, and any key passes where the service has none."""
    calls = _run("deepstack_own", server, photos, key="k-1")
    assert len(calls["detect"].answer["detections"]) == 2
    assert calls["register two photos"].answer is True
    assert calls["register the other"].answer is True
    assert calls["register without a face"].text == "Invalid image"
    assert calls["list"].answer["list"] == [_EILEEN, "Grace"]
    several = calls["recognize several"].answer["detections"]
    assert set(_userids(several)) == {_EILEEN, "Grace"}
    assert _is_stranger(calls["recognize a stranger"].answer["detections"])
    assert calls["recognize nobody"].answer["detections"] == []
    assert calls["delete"].answer is True
    assert _is_stranger(calls["recognize who is deleted"].answer["detections"])
    assert calls["delete the other"].answer is True
    assert calls["list nobody"].answer["list"] == []
