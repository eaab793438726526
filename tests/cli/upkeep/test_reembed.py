"""`vultus reembed` beside a service that runs both networks, on real photos."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import OtherEmbedderMissing, RolloutImpossible, ThresholdRequired
from app.gallery.store.database import Database
from app.gallery.store.statements.vector_bytes import from_bytes
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from models.zoo.names import DEFAULT_NETWORK
from tests.kit import photos
from tests.kit.commands import run_command
from tests.kit.second_network import SECOND, add_second_network

RUN = CliRunner()
DEFAULT = "/v1/collections/default"
SURE = {"threshold": "0.95"}
"""Nobody has measured the second network, and two people are too few to."""


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights in which the second network is registered."""
    folder = tmp_path_factory.mktemp("weights")
    add_second_network(folder)
    return folder


@pytest.fixture(autouse=True)
def _next_embedder(weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_WEIGHTS_DIR", str(weights_dir))
    monkeypatch.setenv("VULTUS_NEXT__EMBEDDER", SECOND)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    for name, photo in (("Eileen", photos.astronaut()), ("Grace", photos.hopper())):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").write_bytes(photos.encoded(photo))
    return folder


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A service that runs both networks."""
    settings = Settings()
    with TestClient(create_app(settings, build_services(settings))) as started:
        yield started


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A service that runs the first network only."""
    with monkeypatch.context() as patch:
        patch.delenv("VULTUS_NEXT__EMBEDDER")
        settings = Settings()
    with TestClient(create_app(settings, build_services(settings))) as started:
        yield started


def command(*arguments: str | Path, status: int = 0) -> dict[str, Any]:
    result = run_command(*map(str, arguments), "--json")
    assert result.exit_code == status, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def enroll(client: TestClient, folder: Path, **fields: str) -> None:
    for person in sorted(folder.iterdir()):
        files = [("images", photo.read_bytes()) for photo in sorted(person.iterdir())]
        answer = client.post(
            f"{DEFAULT}/identities", data={"name": person.name, **fields}, files=files
        )
        assert answer.status_code == 201, answer.text


def rollout(client: TestClient, *keys: str) -> tuple[Any, ...]:
    answer = client.get(f"{DEFAULT}/rollout")
    assert answer.status_code == 200, answer.text
    return tuple(answer.json()[key] for key in keys)


def who(client: TestClient, photo: bytes) -> tuple[str | None, str]:
    """The person's name, and the network that says so."""
    answer = client.post(f"{DEFAULT}/identify", files={"image": photo}, data=SURE)
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    return face["identity"] and face["identity"]["name"], answer.json()["model"]["name"]


def embeddings(tmp_path: Path, query: str, *, plain: bool = False) -> list[Any]:
    database = Database(f"sqlite:///{tmp_path / 'data' / 'vultus.db'}", timeout_s=10)
    with database.reading() as session:
        found = [data if plain else from_bytes(data) for (data,) in session.execute(text(query))]
    database.close()
    return found


def test_collection_goes_over_and_back_and_over_for_good(
    alone: TestClient, client: TestClient, people: Path
) -> None:
    enroll(alone, people)
    grace = photos.encoded(photos.another_photo(photos.hopper()))
    done = command("reembed", "--to", "onnx", "--photos", people)
    assert (done["faces"], done["without_second"], done["without_source"]) == (2, 0, [])
    assert "not known" in done["measured"]
    assert who(client, grace) == ("Grace", DEFAULT_NETWORK)
    with pytest.raises(RolloutImpossible, match="were not measured"):
        command("reembed", "switch")
    assert command("reembed", "switch", "--force")["serving"]["name"] == "onnx"
    assert who(client, grace) == ("Grace", "onnx")
    refused = alone.post(f"{DEFAULT}/identify", files={"image": grace}, data=SURE)
    assert refused.json()["code"] == "embedder_mismatch"
    verified = client.post(
        "/v1/verify",
        files={"image": grace},
        data={
            "collection": "default",
            "identity_id": client.get(f"{DEFAULT}/identities", params={"name": "Grace"}).json()[
                "identities"
            ][0]["id"],
            **SURE,
        },
    ).json()
    assert (verified["match"], verified["model"]["name"]) == (True, "onnx")
    assert command("reembed", "rollback")["serving"]["name"] == DEFAULT_NETWORK
    assert who(client, grace) == ("Grace", DEFAULT_NETWORK)
    command("reembed", "switch", "--force")
    assert command("reembed", "purge")["second"] is None
    assert command("reembed", "status")["serving"]["name"] == "onnx"
    assert who(client, grace) == ("Grace", "onnx")


def test_progress_is_answered_by_every_server_process(
    alone: TestClient, client: TestClient, people: Path
) -> None:
    described = "state", "from_embedder", "to_embedder", "done", "missing", "finished"
    enroll(alone, people)
    for one in (alone, client):
        assert rollout(one, *described, "faces", "obstacles") == (*[None] * 6, 2, [])
    (people / "Eileen" / "1.jpg").rename(people / "1.jpg")
    (people / "1.jpg").write_bytes(photos.encoded(photos.coffee()))
    command("reembed", "--to", "onnx", "--photos", people, status=3)
    for one in (alone, client):
        state, before, after, *counts = rollout(one, *described)
        assert (state, before["name"], after["name"]) == ("embedding", DEFAULT_NETWORK, "onnx")
        assert counts == [1, 1, False]
        (obstacles,) = rollout(one, "obstacles")
        assert [one["code"] for one in obstacles] == ["lacking_second", "not_measured"]
        assert "1 faces have no embedding by onnx" in obstacles[0]["detail"]
    (people / "1.jpg").write_bytes(photos.encoded(photos.astronaut()))
    command("reembed", "--to", "onnx", "--photos", people)
    assert rollout(client, "state", "done", "missing", "finished") == ("ready", 2, 0, True)
    command("reembed", "switch", "--force")
    state, before, after, *counts = rollout(alone, *described)
    assert (state, before["name"], after["name"]) == ("switched", DEFAULT_NETWORK, "onnx")
    assert counts == [2, 0, True]
    serving, missing_before, obstacles, at = rollout(
        alone, "serving", "missing_before", "obstacles", "switched_at"
    )
    assert (serving["name"], missing_before, obstacles) == ("onnx", 0, [])
    assert at is not None
    command("reembed", "purge")
    assert rollout(alone, *described) == (None,) * 6
    assert rollout(alone, "serving")[0]["name"] == "onnx"


def test_photo_gives_what_the_service_makes_of_it(
    alone: TestClient, client: TestClient, people: Path, tmp_path: Path
) -> None:
    enroll(alone, people)
    command("reembed", "--to", "onnx", "--photos", people)
    enroll(client, people, force="true")
    query = "SELECT embedding FROM second_embeddings ORDER BY face_number"
    by_command, by_service = np.split(np.stack(embeddings(tmp_path, query)), 2)
    assert np.allclose((by_command * by_service).sum(axis=1), 1, atol=1e-3)


def test_face_of_unknown_landmarks_is_the_one_where_its_box_is(
    client: TestClient, people: Path, tmp_path: Path
) -> None:
    (people / "Grace" / "1.jpg").write_bytes(photos.encoded(photos.group()))
    enroll(client, people, faces="largest")
    query = "SELECT embedding FROM second_embeddings ORDER BY face_number"
    command("reembed", "--to", "onnx", "--photos", people)
    before = np.stack(embeddings(tmp_path, query))
    command("reembed", "purge")
    database = Database(f"sqlite:///{tmp_path / 'data' / 'vultus.db'}", timeout_s=10)
    with database.writing() as session:
        session.execute(text("UPDATE faces SET landmarks = NULL"))
    database.close()
    assert command("reembed", "--to", "onnx", "--photos", people)["faces"] == 2
    after = np.stack(embeddings(tmp_path, query))
    assert np.allclose((before * after).sum(axis=1), 1, atol=1e-3)


def test_faces_without_a_photo_are_listed_with_the_remedy(alone: TestClient, people: Path) -> None:
    enroll(alone, people)
    embedded = alone.post("/v1/embed", files={"image": photos.encoded(photos.astronaut())}).json()
    line = {"external_id": "e1", "embeddings": [embedded["faces"][0]["embedding"]]}
    sent = alone.post(
        f"{DEFAULT}/identities:batch",
        content=json.dumps(line),
        headers={"content-type": "application/x-ndjson"},
    )
    assert sent.json()["status"] == "enrolled"
    (people / "Eileen" / "1.jpg").unlink()
    done = command("reembed", "--to", "onnx", "--photos", people, status=3)
    told = [face["reason"] for face in done["without_source"]]
    assert len(told) == 2
    assert "give the folder that has it" in told[0]
    assert "enroll the person from photos" in told[1]
    assert (done["faces"], done["without_second"]) == (1, 2)
    with pytest.raises(RolloutImpossible, match="2 faces have no embedding by onnx"):
        command("reembed", "switch")


def test_shadow_compares_both_networks_on_the_faces_enrolled(
    client: TestClient, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (people / "Grace" / "2.jpg").write_bytes(photos.encoded(photos.another_photo(photos.hopper())))
    enroll(client, people)
    command("reembed", "--to", "onnx", "--photos", people)
    with pytest.raises(ThresholdRequired):
        command("reembed", "shadow")
    client.patch(DEFAULT, json={"options": {"decisions": {"identify_threshold": 0.95}}})
    done = command("reembed", "shadow")
    for network in ("first", "second"):
        assert done["known"][network] == {"right": 2, "wrong": 0, "ambiguous": 0, "unknown": 0}
        assert done["strangers"][network] == {"right": 0, "wrong": 0, "ambiguous": 0, "unknown": 1}
    assert done["agreement"] == {"same": 3, "only_first": 0, "only_second": 0, "other_person": 0}
    result = RUN.invoke(cli, ["reembed", "shadow"])
    assert "100.00%" in result.output
    monkeypatch.delenv("VULTUS_NEXT__EMBEDDER")
    with pytest.raises(OtherEmbedderMissing, match="does not run here"):
        command("reembed", "shadow")


def test_live_shadow_counts_agreement_and_changes_no_answer(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_NEXT__SHADOW", "true")
    settings = Settings()
    grace = photos.encoded(photos.another_photo(photos.hopper()))
    with TestClient(create_app(settings, build_services(settings))) as client:
        enroll(client, people)
        who(client, grace)  # the collection has one embedder
        command("reembed", "--to", "onnx", "--photos", people)
        assert who(client, grace) == ("Grace", DEFAULT_NETWORK)  # the second is not measured
        client.patch(DEFAULT, json={"options": {"decisions": {"identify_threshold": 0.95}}})
        with capture_logs() as logs:
            assert who(client, grace) == ("Grace", DEFAULT_NETWORK)
        told = client.get("/metrics").text
    assert 'vultus_shadow_decisions_total{agreement="same"} 1.0' in told
    (line,) = (line for line in logs if line["event"] == "shadow")
    assert (line["agreement"], line["first"], line["second"]) == ("same", "match", "match")
    assert "Grace" not in str(line)


def test_kept_crops_stand_in_for_photos_and_go_with_their_faces(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_CROPS_KEY", b64encode(bytes(range(32))).decode())
    settings = Settings()
    query = "SELECT embedding FROM second_embeddings ORDER BY face_number"
    keep = {"options": {"crops": {"keep": True}}}
    with TestClient(create_app(settings, build_services(settings))) as client:
        enroll(client, people)
        command("reembed", "--to", "onnx", "--photos", people)
        by_photo = np.stack(embeddings(tmp_path, query))
        for identity in client.get(f"{DEFAULT}/identities").json()["identities"]:
            receipt = client.delete(f"{DEFAULT}/identities/{identity['id']}").json()
            assert receipt["crop_count"] == 0  # nobody asked for any
        command("reembed", "purge")
        client.patch(DEFAULT, json=keep).raise_for_status()
        enroll(client, people)
        sealed = embeddings(tmp_path, "SELECT sealed FROM crops", plain=True)
        assert len(sealed) == 2
        assert command("reembed", "--to", "onnx")["faces"] == 2
        by_crop = np.stack(embeddings(tmp_path, query))
        assert ((by_photo * by_crop).sum(axis=1) > 0.98).all()
        command("reembed", "purge")
        monkeypatch.setenv("VULTUS_CROPS_KEY", b64encode(bytes(32)).decode())
        done = command("reembed", "--to", "onnx", status=3)
        assert "another VULTUS_CROPS_KEY" in done["without_source"][0]["reason"]
        identity, _ = client.get(f"{DEFAULT}/identities").json()["identities"]
        receipt = client.delete(f"{DEFAULT}/identities/{identity['id']}").json()
        assert (receipt["face_count"], receipt["crop_count"]) == (1, 1)
        assert len(embeddings(tmp_path, "SELECT sealed FROM crops", plain=True)) == 1
        client.patch(DEFAULT, json={"options": {"crops": {"keep": False}}}).raise_for_status()
        assert embeddings(tmp_path, "SELECT sealed FROM crops", plain=True) == []


def test_named_unknown_face_is_embedded_anew_from_the_crop_that_came_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_CROPS_KEY", b64encode(bytes(range(32))).decode())
    settings = Settings()
    keep = {"unknowns": {"keep": True, "crops": True}, "crops": {"keep": True}}
    with TestClient(create_app(settings, build_services(settings))) as client:
        client.patch(DEFAULT, json={"options": keep}).raise_for_status()
        photo = photos.encoded(photos.hopper())
        seen = client.post(f"{DEFAULT}/identify", files={"image": photo}).json()
        (face,) = seen["faces"]
        client.post(
            f"{DEFAULT}/unknowns/{face['unknown_group_id']}:name", json={}
        ).raise_for_status()
        assert command("reembed", "--to", "onnx")["faces"] == 1
    query = "SELECT embedding FROM second_embeddings"
    (by_crop,) = embeddings(tmp_path, query)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(photo)
    command("reembed", "purge")
    command("reembed", "--to", "onnx", "--photos", tmp_path / "photos")
    (by_photo,) = embeddings(tmp_path, query)
    assert by_photo @ by_crop > 0.95


@pytest.mark.parametrize(("group", "option"), [("crops", "keep"), ("unknowns", "crops")])
def test_crops_are_not_kept_without_a_key(client: TestClient, group: str, option: str) -> None:
    refused = client.patch(DEFAULT, json={"options": {group: {option: True}}})
    assert refused.status_code == 422
    assert "VULTUS_CROPS_KEY" in refused.json()["detail"]
    assert f"options.{group}.{option}" in refused.json()["detail"]


def test_the_command_requires_the_network() -> None:
    result = RUN.invoke(cli, ["reembed"])
    assert result.exit_code == 2
    assert "--to" in result.output
