"""Services on other networks than the default: what they refuse, and what they work with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from fastapi.testclient import TestClient

from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.main import create_app
from app.recognition.types import ModelId
from app.services import build_services
from app.settings import Settings
from tests.api.conftest import image, images, problem


@pytest.fixture
def facenet(tmp_path: Path) -> Iterator[TestClient]:
    """A service on an untrained FaceNet, for which nobody measured thresholds."""
    weights = tmp_path / "facenet.pt"
    torch.manual_seed(0)
    torch.save(InceptionResnetV1(pretrained=None).state_dict(), weights)
    settings = Settings(
        data_dir=tmp_path, device="cpu", embedder="facenet-vggface2", weights_path=weights
    )
    with TestClient(create_app(settings, build_services(settings))) as client:
        yield client


def test_unmeasured_embedder_wants_a_threshold(facenet: TestClient) -> None:
    pair = {**image("hopper", "image_a"), **image("hopper_again", "image_b")}
    body = problem(facenet.post("/v1/verify", files=pair), 422, "threshold_required")
    assert "VULTUS_THRESHOLDS__VERIFY" in body["detail"]
    url = "/v1/collections/default/identify"
    problem(facenet.post(url, files=image("hopper")), 422, "threshold_required")
    given = facenet.post("/v1/verify", files=pair, data={"threshold": "0.5"})
    assert given.json()["threshold"] == 0.5
    staged = {"stages": '[{"threshold": 0.5}]'}
    assert facenet.post(url, files=image("hopper"), data=staged).status_code == 200
    problem(facenet.get("/v1/collections/default/calibration"), 422, "threshold_required")
    assert facenet.get("/v1/info").json()["thresholds"]["verify"] is None


def test_unmeasured_embedder_enrolls_and_identifies_all_the_same(facenet: TestClient) -> None:
    enrolled = facenet.post("/v1/collections/default/identities", files=images("hopper"))
    identity = enrolled.json()["identity"]["id"]
    found = facenet.post(
        "/v1/collections/default/identify", files=image("hopper"), data={"threshold": "0.99"}
    ).json()
    assert found["model"]["name"] == "facenet-vggface2"
    assert found["faces"][0]["identity"]["id"] == identity


def test_collection_of_another_embedder_is_refused(tmp_path: Path) -> None:
    """Another process, on another network, has taken over the empty collection meanwhile."""
    settings = Settings(data_dir=tmp_path, device="cpu")
    with TestClient(create_app(settings, build_services(settings))) as client:
        database = Database(settings.resolved_database_url, timeout_s=10)
        Gallery(database, IndexSync(database, FaissIndex), ModelId("other", "0" * 64, 512)).open()
        database.close()
        for url, files in (
            ("/v1/collections/default/identify", image("hopper")),
            ("/v1/collections/default/identities", images("hopper")),
        ):
            body = problem(client.post(url, files=files), 409, "embedder_mismatch")
            assert "VULTUS_EMBEDDER=other" in body["detail"]
