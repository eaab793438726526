"""A gallery that version 0.1.0 wrote is served by this one, and goes over to another embedder.

The service of 0.1.0 had enrolled `eileen.jpg` and `grace.jpg`; the similarities are what it then
answered.
"""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.session import loaded_networks
from app.errors import NetworkNotMade
from app.main import create_app
from app.operations.rollout import embedder_choice
from app.settings import Settings
from tests.cases import case

RUN = CliRunner()
EILEEN, GRACE = "Eileen Collins", "Grace Hopper"
OF_OTHERS = 0.88351
"""Similarity of the two people as 0.1.0 answered it."""


@pytest.fixture(autouse=True)
def _old_gallery(data_dir: Path) -> None:
    (data_dir / "vultus.db").write_bytes(gzip.decompress(case("gallery-0.1.0.db.gz")))


@contextmanager
def _service() -> Iterator[TestClient]:
    """Settings of the environment."""
    with TestClient(create_app(Settings())) as client:
        yield client


def _identify(client: TestClient, photo: str, **fields: str) -> dict[str, Any]:
    url = "/v1/collections/default/identify"
    answer = client.post(url, files={"image": case(photo)}, data=fields)
    assert answer.status_code == 200, answer.text
    parsed: dict[str, Any] = answer.json()
    return parsed


def _photos(tmp_path: Path) -> Path:
    """The folder of the photos that people were enrolled from."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("eileen.jpg", "grace.jpg"):
        (folder / name).write_bytes(case(name))
    return folder


def _command(*arguments: str | Path, status: int = 0) -> Any:
    done = RUN.invoke(cli, [*map(str, arguments), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("photo", ["eileen.jpg", "grace.jpg"])
@pytest.mark.parametrize(
    ("detector", "backend", "noise"),
    [
        ("mtcnn", "onnxruntime", 1e-4),  # those of 0.1.0
        # Its boxes move the landmarks a little, and the fastest runtime may compute in bfloat16.
        ("yunet", "auto", 0.01),
    ],
)
def test_people_of_before_are_found_with_the_similarity_of_before(
    photo: str, detector: str, backend: str, noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_DETECTOR__NAME", detector)
    monkeypatch.setenv("VULTUS_BACKEND", backend)
    with _service() as client:
        answer = _identify(client, photo)
    (face,) = answer["faces"]
    name, other = (EILEEN, GRACE) if photo == "eileen.jpg" else (GRACE, EILEEN)
    assert answer["model"]["name"] == "dlib-resnet"
    assert face["status"] == "match"
    assert face["threshold"] == pytest.approx(0.92910, abs=1e-5)
    found = {one["name"]: one["similarity"] for one in face["candidates"]}
    assert found[name] == pytest.approx(1, abs=noise)
    assert found[other] == pytest.approx(OF_OTHERS, abs=noise)


def test_the_embedder_stays_and_one_line_says_how_to_go_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedder_choice, "DEFAULT_NETWORK", "facenet-vggface2")
    application = create_app(Settings())
    structlog.reset_defaults()
    with capture_logs() as logs, TestClient(application) as client:
        listed = client.get("/v1/models").json()
    (kept,) = [line for line in logs if line["event"] == "embedder_kept"]
    assert kept["embedder"] == "dlib-resnet"
    assert "vultus reembed --to facenet-vggface2" in kept["remedy"]
    assert [model["name"] for model in listed["models"] if model["active"]] == ["dlib-resnet"]
    assert (listed["chosen_by"], listed["reason"]) == (
        "auto",
        "the faces of the database are by it",
    )


def test_commands_choose_as_the_service_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder_choice, "DEFAULT_NETWORK", "facenet-vggface2")
    photo = tmp_path / "eileen.jpg"
    photo.write_bytes(case("eileen.jpg"))
    listed = _command("models", "list")
    active = [one["name"] for one in listed["models"] if one["active"]]
    assert (active, listed["chosen_by"]) == (["dlib-resnet"], "auto")
    (face,) = _command("identify", photo)["faces"]
    assert face["identity"]["name"] == EILEEN
    # As evaluate, calibrate FOLDER, train and tune do.
    with loaded_networks() as loaded:
        chosen = loaded.settings.embedder, loaded.network.spec.name
    assert chosen == ("dlib-resnet", "dlib-resnet")


def test_a_gallery_of_a_network_that_no_longer_ships_says_so_and_goes_over(
    data_dir: Path, tmp_path: Path
) -> None:
    """Without the network's file, while no service runs."""
    database = data_dir / "vultus.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(
            "UPDATE collections SET embedder = 'vultus-resnet', digest = 'd';"
            "UPDATE faces SET embedder = 'vultus-resnet', digest = 'd';"
        )
    with pytest.raises(NetworkNotMade, match="auto chose vultus-resnet, as the faces"):
        create_app(Settings())
    photos = _photos(tmp_path)
    assert _command("reembed", "--to", "dlib-resnet", "--photos", photos)["faces"] == 2
    _command("reembed", "switch")
    with _service() as client:
        answer = _identify(client, "eileen.jpg")
    assert answer["model"]["name"] == "dlib-resnet"
    assert answer["faces"][0]["identity"]["name"] == EILEEN


def test_it_goes_over_to_sface_which_auto_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("VULTUS_NEXT__EMBEDDER", "sface")
        with _service() as client:
            done = _command("reembed", "--to", "sface", "--photos", _photos(tmp_path))
            assert (done["faces"], done["without_second"]) == (2, 0)
            before = _identify(client, "eileen.jpg")
            assert before["model"]["name"] == "dlib-resnet"
            assert _command("reembed", "shadow")["agreement"]["same"] == 2
            assert _command("reembed", "switch")["serving"]["name"] == "sface"
            after = _identify(client, "eileen.jpg")
            assert after["model"]["name"] == "sface"
            for answer in (before, after):
                assert answer["faces"][0]["identity"]["name"] == EILEEN
        with _service() as client:  # one that is started between switch and purge runs both
            assert client.get("/v1/info").json()["model"]["name"] == "dlib-resnet"
            assert _identify(client, "grace.jpg")["model"]["name"] == "sface"
            _command("reembed", "purge")
    with _service() as client:
        assert client.get("/v1/info").json()["model"]["name"] == "sface"
        answer = _identify(client, "grace.jpg")
    assert answer["faces"][0]["identity"]["name"] == GRACE
    assert answer["faces"][0]["candidates"][-1]["similarity"] < 0.35  # the two are strangers
