"""A real server of two workers goes over to another network while it is asked without pause."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
from typer.testing import CliRunner

from app.cli.main import cli
from models.zoo.names import DEFAULT_NETWORK
from tests.kit import photos
from tests.kit.second_network import SECOND
from tests.kit.server import ServerProcess

NAME = "rollout"
COLLECTION = f"/v1/collections/{NAME}"


def test_no_request_fails_while_a_collection_goes_over_and_back(
    server: ServerProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    # Small ones, so that many requests fit into the time.
    pictures = {
        name: photo.resize((photo.width // 2, photo.height // 2))
        for name, photo in (("Eileen", photos.astronaut()), ("Grace", photos.hopper()))
    }
    for name, picture in pictures.items():
        (folder / f"{name}.jpg").write_bytes(photos.encoded(picture))
    created = httpx2.post(f"{server.url}/v1/collections", json={"name": NAME}, timeout=60)
    assert created.status_code == 201, created.text
    settings = {
        "VULTUS_DATA_DIR": str(server.data_dir),
        "VULTUS_DEVICE": "cpu",
        "VULTUS_NEXT__EMBEDDER": SECOND,
    }

    def vultus(*arguments: str) -> None:
        done = CliRunner().invoke(cli, ["reembed", *arguments, "--collection", NAME], env=settings)
        assert done.exit_code == 0, done.output

    for name in pictures:
        httpx2.post(
            f"{server.url}{COLLECTION}/identities",
            data={"name": name},
            files={"images": (folder / f"{name}.jpg").read_bytes()},
            timeout=60,
        ).raise_for_status()
    stop = Event()

    def ask(name: str) -> list[tuple[str | None, str]]:
        photo = photos.encoded(photos.another_photo(pictures[name]))
        answers = []
        while not stop.is_set():
            answers.append(_who(server.url, photo))
        return answers

    with ThreadPoolExecutor(2) as pool:
        asking = {name: pool.submit(ask, name) for name in pictures}
        try:
            vultus("--to", "onnx", "--photos", str(folder))
            vultus("switch", "--force")  # two people are too few to measure the network on
            after = _who(server.url, photos.encoded(pictures["Grace"]))
            vultus("rollback")
            back = _who(server.url, photos.encoded(pictures["Grace"]))
        finally:
            stop.set()
        answers = {name: task.result(timeout=60) for name, task in asking.items()}
    assert (after, back) == (("Grace", "onnx"), ("Grace", DEFAULT_NETWORK))
    for name, found in answers.items():
        assert {who for who, _ in found} == {name}
        assert {network for _, network in found} == {DEFAULT_NETWORK, "onnx"}


def _who(url: str, photo: bytes) -> tuple[str | None, str]:
    response = httpx2.post(
        f"{url}{COLLECTION}/identify",
        files={"image": photo},
        data={"threshold": "0.88"},
        timeout=60,
        trust_env=False,  # commands change the environment meanwhile, on another thread
    )
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = json.loads(response.text)
    (face,) = answer["faces"]
    return face["identity"] and face["identity"]["name"], answer["model"]["name"]
