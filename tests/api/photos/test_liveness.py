"""`liveness=true`: scores beside what is answered anyway; nothing is refused because of them."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.recognition.liveness.liveness_crop import cut_surroundings
from app.recognition.types import DetectedFace
from app.services import build_services
from app.settings import Settings
from tests.api.conftest import image, photo, problem
from tests.kit import photos
from tests.kit.catalogue_cards import catalogue_of
from tests.kit.liveness_graphs import CROP_SCALES, expected_scores, fetched_liveness

_WEIGHTS = {"near": (1.0, -4.0, 6.0), "wide": (-2.0, 5.0, 1.0)}
_THRESHOLD = 0.3


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with two liveness networks made here, a threshold, and Eileen Collins enrolled."""
    data = tmp_path_factory.mktemp("data")
    cards = [fetched_liveness(data / "weights", name, _WEIGHTS[name]) for name in CROP_SCALES]
    settings = Settings(
        data_dir=data,
        device="cpu",
        limits={"max_faces": 1},
        liveness={"name": "near, wide", "threshold": _THRESHOLD},
    )
    with (
        catalogue_of(data / "cards", *cards),
        TestClient(create_app(settings, build_services(settings))) as started,
    ):
        made = started.post(
            "/v1/collections/default/identities",
            files={"images": photo("astronaut")},
            data={"external_id": "eileen"},
        )
        assert made.status_code == 201
        yield started


def _expected(name: str, box: list[float]) -> dict[str, Any]:
    """The liveness of an upright face, by hand."""
    shown = photos.pixels(photos.opened(photo(name)))
    x1, y1, x2, y2 = box
    face = DetectedFace((x1, y1, x2, y2), np.zeros((5, 2), dtype=np.float32), 1.0)
    scores = [
        expected_scores(
            cut_surroundings(shown, face, scale=CROP_SCALES[network], size_px=80)[None],
            _WEIGHTS[network],
        )[0]
        for network in CROP_SCALES
    ]
    score = sum(scores) / len(scores)
    return {
        "score": pytest.approx(score, abs=1e-5),
        "threshold": _THRESHOLD,
        "live": score >= _THRESHOLD,
    }


def test_detect_scores_the_faces_up_to_the_servers_limit(scoring: TestClient) -> None:
    found = scoring.post("/v1/detect", files=image("group"), data={"liveness": "true"}).json()
    first, second = found["faces"]
    assert first["liveness"] == _expected("group", first["box"])
    assert second["liveness"] is None


def test_verify_scores_both_faces_and_decides_as_without(scoring: TestClient) -> None:
    files = {"image_a": photo("astronaut"), "image_b": photo("hopper")}
    asked = scoring.post("/v1/verify", files=files, data={"liveness": "true"}).json()
    plain = scoring.post("/v1/verify", files=files).json()
    for name, face in zip(("astronaut", "hopper"), asked["faces"], strict=True):
        assert face["liveness"] == _expected(name, face["box"])
    assert [face["liveness"] for face in plain["faces"]] == [None, None]
    assert asked["similarity"] == pytest.approx(plain["similarity"], abs=1e-6)
    assert asked["status"] == plain["status"] == "no_match"


def test_verify_with_an_enrolled_person_scores_the_photo(scoring: TestClient) -> None:
    fields = {"collection": "default", "identity_id": "ext:eileen", "liveness": "true"}
    done = scoring.post("/v1/verify", files=image("astronaut_again"), data=fields).json()
    assert done["status"] == "match"
    (face,) = done["faces"]
    assert face["liveness"] == _expected("astronaut_again", face["box"])


@pytest.mark.parametrize("form", ["form", "json", "photo"])
def test_identify_scores_and_names_a_face_that_is_not_live(scoring: TestClient, form: str) -> None:
    path = "/v1/collections/default/identify"
    if form == "form":
        done = scoring.post(path, files=image("astronaut"), data={"liveness": "true"})
    elif form == "json":
        encoded = base64.b64encode(photo("astronaut")).decode()
        done = scoring.post(path, json={"image": encoded, "liveness": True})
    else:
        done = scoring.post(
            f"{path}?liveness=true",
            content=photo("astronaut"),
            headers={"content-type": "image/jpeg"},
        )
    (face,) = done.json()["faces"]
    assert face["liveness"] == _expected("astronaut", face["box"])
    assert face["status"] == "match"


def test_batch_of_photos_is_scored_by_the_same_option(scoring: TestClient) -> None:
    names = ("hopper", "astronaut")
    files = [("images", (f"{name}.jpg", photo(name))) for name in names]
    done = scoring.post(
        "/v1/collections/default/identify:batch", files=files, data={"liveness": "true"}
    ).json()
    for name, one in zip(names, done["results"], strict=True):
        (face,) = one["result"]["faces"]
        assert face["liveness"] == _expected(name, face["box"])


def test_info_says_what_scores_and_stages_say_how_long(scoring: TestClient) -> None:
    assert scoring.get("/v1/info").json()["liveness"] == {
        "networks": ["near", "wide"],
        "threshold": _THRESHOLD,
    }
    asked = scoring.post("/v1/detect", files=image("hopper"), data={"liveness": "true"})
    assert "liveness;dur=" in asked.headers["server-timing"]
    plain = scoring.post("/v1/detect", files=image("hopper"))
    assert "liveness" not in plain.headers["server-timing"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/detect", ("image",)),
        ("/v1/verify", ("image_a", "image_b")),
        ("/v1/collections/{collection}/identify", ("image",)),
        ("/v1/collections/{collection}/identify:batch", ("images",)),
    ],
)
def test_request_that_asks_where_it_is_off_is_told_the_remedy(
    client: TestClient, collection: str, path: str, names: tuple[str, ...]
) -> None:
    files = {name: photo("astronaut") for name in names}
    answer = client.post(path.format(collection=collection), files=files, data={"liveness": "true"})
    body = problem(answer, 422, "liveness_off")
    assert "VULTUS_LIVENESS__NAME" in body["detail"]
    assert client.get("/v1/info").json()["liveness"] is None


@pytest.mark.parametrize("value", ["1", "yes", "TRUE", ""])
def test_option_is_true_or_false_alone(client: TestClient, value: str) -> None:
    answer = client.post("/v1/detect", files=image("astronaut"), data={"liveness": value})
    body = problem(answer, 422, "invalid_request")
    assert body["errors"] == [{"field": "liveness", "message": "must be true or false"}]
    as_json = {"image": base64.b64encode(photo("coffee")).decode(), "liveness": 0}
    problem(client.post("/v1/detect", json=as_json), 422, "invalid_request")
