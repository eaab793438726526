"""Crops of enrolled faces are shown over HTTP, where they are kept and the key is there."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from structlog.testing import capture_logs

from app.operations.crop_reader import CropReader
from app.operations.enroll.crop_vault import CropVault
from app.services import Services
from tests.api.conftest import Enroll, images, problem
from tests.api.gallery.conftest import service_with_key, sqlite_only
from tests.api.people import embedding, enroll_all, expire

OTHER_KEY = b64encode(bytes(32)).decode()


@pytest.fixture
def client(client_with_key: TestClient) -> TestClient:
    return client_with_key


@pytest.fixture
def collection(client: TestClient, collection: str) -> str:
    """Keeps crops of enrolled faces."""
    _keep(client, collection, wanted=True)
    return collection


def _keep(client: TestClient, collection: str, *, wanted: bool) -> None:
    options = {"options": {"crops": {"keep": wanted}}}
    client.patch(f"/v1/collections/{collection}", json=options).raise_for_status()


def _faces(client: TestClient, collection: str, identity_id: str) -> list[dict[str, Any]]:
    faces = client.get(f"/v1/collections/{collection}/identities/{identity_id}/faces")
    found: list[dict[str, Any]] = faces.json()["faces"]
    return found


def _crop(client: TestClient, collection: str, identity_id: str, face_id: str) -> Response:
    return client.get(f"/v1/collections/{collection}/identities/{identity_id}/faces/{face_id}/crop")


def _person(enroll: Enroll, *names: str, **fields: Any) -> tuple[str, list[str]]:
    """Id of the person, and of the faces."""
    body = enroll(*names, **fields).json()
    return body["identity"]["id"], [face["id"] for face in body["faces"]]


def test_crop_of_an_enrolled_face_is_the_face_and_stays_in_no_cache(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    identity_id, (face_id,) = _person(enroll, "astronaut", external_id="emp/1")
    (face,) = _faces(client, collection, identity_id)
    assert face["has_crop"] is True
    with capture_logs() as logs:
        answer = _crop(client, collection, identity_id, face_id)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (336, 336))
        assert np.asarray(picture).std() > 30, "it shows something"
    (line,) = [line for line in logs if line["event"] == "crop_read"]
    assert line == {
        "event": "crop_read",
        "log_level": "info",
        "collection": collection,
        "face": face_id,
    }
    by_key = _crop(client, collection, "ext:emp%2F1", face_id)
    assert by_key.content == answer.content
    # The person is on it: the service itself recognises them.
    found = client.post(
        f"/v1/collections/{collection}/identify", files={"image": ("crop.jpg", answer.content)}
    ).json()
    assert [face["identity"]["id"] for face in found["faces"]] == [identity_id]


@sqlite_only
def test_lines_of_the_log_have_the_request_id(
    client: TestClient, collection: str, enroll: Enroll, capsys: pytest.CaptureFixture[str]
) -> None:
    identity_id, (face_id,) = _person(enroll, "hopper")
    answer = _crop(client, collection, identity_id, face_id)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "crop_read" in line]
    assert answer.headers["x-request-id"] in line
    assert "Grace" not in line


def test_face_without_a_crop_is_named_by_the_list_and_by_a_problem(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    _keep(client, collection, wanted=False)
    before, (old,) = _person(enroll, "hopper", name="Grace")
    _keep(client, collection, wanted=True)
    (computed,) = enroll_all(client, collection, {"name": "ada", "embeddings": [embedding(1)]})
    for identity_id in (before, computed):
        (face,) = _faces(client, collection, identity_id)
        assert face["has_crop"] is False
        answer = _crop(client, collection, identity_id, face["id"])
        assert "VULTUS_CROPS_KEY" in problem(answer, 404, "crop_not_kept")["detail"]
    more = client.post(
        f"/v1/collections/{collection}/identities/{before}/faces", files=images("hopper_again")
    )
    assert more.status_code == 201, more.text
    (first, second) = _faces(client, collection, before)
    assert (first["id"], first["has_crop"], second["has_crop"]) == (old, False, True)
    _keep(client, collection, wanted=False)
    assert [face["has_crop"] for face in _faces(client, collection, before)] == [False, False]
    detail = problem(_crop(client, collection, before, second["id"]), 404, "crop_not_kept")
    assert "keeps no crops" in detail["detail"]


def test_crop_is_found_by_its_own_person_and_collection_alone(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    eileen, (face,) = _person(enroll, "astronaut")
    grace, _ = _person(enroll, "hopper")
    problem(_crop(client, collection, grace, face), 404, "face_not_found")
    problem(_crop(client, collection, eileen, "f" * 32), 404, "face_not_found")
    problem(_crop(client, collection, "f" * 32, face), 404, "identity_not_found")
    problem(_crop(client, "default", eileen, face), 404, "identity_not_found")
    problem(_crop(client, "nowhere", eileen, face), 404, "collection_not_found")
    moved = client.post(
        f"/v1/collections/{collection}/faces/{face}:move",
        json={"identity_id": grace, "force": True},
    ).json()
    assert moved["face"]["has_crop"] is True
    problem(_crop(client, collection, eileen, face), 404, "face_not_found")
    assert _crop(client, collection, grace, face).status_code == 200
    expire(client, collection, grace)
    problem(_crop(client, collection, grace, face), 404, "identity_not_found")


def test_crop_that_does_not_open_is_a_conflict_which_names_the_key(
    client: TestClient, collection: str, enroll: Enroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity_id, (face_id,) = _person(enroll, "hopper")
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    for vault, fact in ((None, "no key"), (CropVault(bytes(32)), "another key")):
        monkeypatch.setattr(
            services,
            "crops",
            CropReader(services.gallery, services.unknowns, vault, services.reads),
        )
        with capture_logs() as logs:
            answer = _crop(client, collection, identity_id, face_id)
        detail = problem(answer, 409, "crop_unreadable")["detail"]
        assert fact in detail
        assert "VULTUS_CROPS_KEY" in detail
        assert [line["face"] for line in logs if line["event"] == "crop_unreadable"] == [face_id]
        assert _faces(client, collection, identity_id)[0]["has_crop"] is True


@sqlite_only
def test_two_processes_with_two_keys_each_open_their_own_crops(
    client: TestClient, collection: str, enroll: Enroll, data_dir_with_key: Path
) -> None:
    identity_id, (first,) = _person(enroll, "hopper")
    url = f"/v1/collections/{collection}/identities/{identity_id}/faces"
    with service_with_key(data_dir_with_key, OTHER_KEY) as other:
        added = other.post(url, files=images("hopper_again")).json()
        second = added["faces"][0]["id"]
        assert _crop(other, collection, identity_id, second).status_code == 200
        problem(_crop(other, collection, identity_id, first), 409, "crop_unreadable")
    assert _crop(client, collection, identity_id, first).status_code == 200
    problem(_crop(client, collection, identity_id, second), 409, "crop_unreadable")
