"""Crops of unknown faces: kept, shown and handed over to the person who is made of them."""

from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from structlog.testing import capture_logs

from app.operations.unknowns import UnknownKeeper
from app.services import Services
from tests.api.conftest import image, problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, search


@pytest.fixture
def client(client_with_key: TestClient) -> TestClient:
    return client_with_key


@pytest.fixture
def collection(client: TestClient, collection: str) -> str:
    """Keeps unknown faces with their crops."""
    _want(client, collection, unknowns={"keep": True, "crops": True})
    return collection


@pytest.fixture
def url(collection: str) -> str:
    return f"/v1/collections/{collection}/unknowns"


def _want(client: TestClient, collection: str, **options: dict[str, object]) -> dict[str, Any]:
    answer = client.patch(f"/v1/collections/{collection}", json={"options": options})
    answer.raise_for_status()
    changed: dict[str, Any] = answer.json()["options"]
    return changed


def _identify(client: TestClient, collection: str, photo: str, **options: str) -> Any:
    answer = client.post(f"/v1/collections/{collection}/identify", files=image(photo), data=options)
    assert answer.status_code == 200, answer.text
    return answer.json()["faces"]


def _group(client: TestClient, url: str, faces: list[dict[str, Any]]) -> tuple[str, Any]:
    """The group of the only face of an answer, and its faces."""
    (face,) = faces
    group_id = face["unknown_group_id"]
    return group_id, client.get(f"{url}/{group_id}").json()["faces"]


def _crop(client: TestClient, url: str, group_id: str, face_id: str) -> Response:
    return client.get(f"{url}/{group_id}/faces/{face_id}/crop")


def test_crop_of_an_unknown_face_is_shown_and_goes_over_to_the_person_who_is_named(
    client: TestClient, collection: str, url: str
) -> None:
    _want(client, collection, crops={"keep": True})
    group_id, (face,) = _group(client, url, _identify(client, collection, "hopper"))
    assert face["has_crop"] is True
    with capture_logs() as logs:
        answer = _crop(client, url, group_id, face["id"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (336, 336))
    reads = [line for line in logs if line["event"] == "crop_read"]
    assert [(line["collection"], line["face"]) for line in reads] == [(collection, face["id"])]
    named = client.post(f"{url}/{group_id}:name", json={"name": "Grace"}).json()
    assert [one["id"] for one in named["faces"]] == [face["id"]], "the face keeps its id"
    of_person = client.get(
        f"/v1/collections/{collection}/identities/{named['identity']['id']}/faces/{face['id']}/crop"
    )
    assert of_person.content == answer.content
    problem(_crop(client, url, group_id, face["id"]), 404, "unknown_group_not_found")
    found = client.post(
        f"/v1/collections/{collection}/identify", files={"image": ("c.jpg", answer.content)}
    ).json()
    assert [one["identity"]["name"] for one in found["faces"]] == ["Grace"]


def test_unknown_face_without_a_crop_is_a_problem_that_names_the_photo(
    client: TestClient, collection: str, url: str
) -> None:
    group_id = search(client, collection, embedding(1))["unknown_group_id"]
    (face,) = client.get(f"{url}/{group_id}").json()["faces"]
    assert face["has_crop"] is False
    detail = problem(_crop(client, url, group_id, face["id"]), 404, "crop_not_kept")["detail"]
    assert "image_sha256" in detail
    problem(_crop(client, url, group_id, "f" * 32), 404, "unknown_face_not_found")
    group_id, (face,) = _group(client, url, _identify(client, collection, "hopper"))
    _want(client, collection, unknowns={"crops": False})
    problem(_crop(client, url, group_id, face["id"]), 404, "crop_not_kept")
    assert client.get(f"{url}/{group_id}").json()["faces"] == [{**face, "has_crop": False}]


def test_receipts_count_the_crops_of_unknown_faces(
    client: TestClient, collection: str, url: str
) -> None:
    group_id, _ = _group(client, url, _identify(client, collection, "hopper"))
    receipt = client.delete(f"{url}/{group_id}", params={"compact": True}).json()
    assert (len(receipt["face_ids"]), receipt["crop_count"]) == (1, 1)
    _identify(client, collection, "hopper")
    enrolled = client.post(
        f"/v1/collections/{collection}/identities", files={"images": image("hopper")["image"]}
    ).json()["identity"]["id"]
    receipt = client.delete(f"/v1/collections/{collection}/identities/{enrolled}").json()
    assert (receipt["unknown_face_count"], receipt["crop_count"]) == (1, 1)


@sqlite_only
def test_every_face_of_a_photo_has_a_crop_of_its_own(
    client: TestClient, collection: str, url: str
) -> None:
    faces = _identify(client, collection, "group")
    crops = set()
    for face in faces:
        group_id, (kept,) = _group(client, url, [face])
        assert kept["box"] == face["box"]
        crops.add(_crop(client, url, group_id, kept["id"]).content)
    assert len(crops) == len(faces) == 2


@sqlite_only
def test_decision_is_the_same_whether_crops_are_kept_or_not(
    client: TestClient, collection: str
) -> None:
    with_crops = _identify(client, collection, "group", keep_unknown="true")
    without = _identify(client, collection, "group", keep_unknown="false")
    assert [{**face, "unknown_group_id": None} for face in with_crops] == without


@sqlite_only
def test_service_without_a_key_keeps_unknown_faces_without_crops_and_logs_it(
    client: TestClient, collection: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another process of the same database, which lacks the key."""
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    without_key = UnknownKeeper(services.gallery, services.unknowns)
    monkeypatch.setattr(services.identify._notes, "_keeper", without_key)
    with capture_logs() as logs:
        _, (face,) = _group(client, url, _identify(client, collection, "hopper"))
    assert face["has_crop"] is False
    (line,) = (line for line in logs if line["event"] == "crops_not_kept")
    assert (line["collection"], line["remedy"]) == (collection, "set VULTUS_CROPS_KEY")


@sqlite_only
def test_options_show_whether_crops_are_kept(client: TestClient, collection: str) -> None:
    unknowns = client.get(f"/v1/collections/{collection}").json()["options"]["unknowns"]
    assert unknowns == {"keep": True, "retention_s": None, "crops": True}
    assert _want(client, collection, unknowns={"crops": None})["unknowns"]["crops"] is False
