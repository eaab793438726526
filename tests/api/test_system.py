"""What runs here, and its metrics."""

import os

from fastapi.testclient import TestClient

from app.settings import Settings
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.registry import ZOO
from tests.api.conftest import image
from tests.kit.default_network import MATCH


def _sample(client: TestClient, name: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def test_info_tells_model_thresholds_and_limits(client: TestClient) -> None:
    body = client.get("/v1/info").json()
    assert body["model"]["name"] == DEFAULT_NETWORK
    assert body["device"] == "cpu"
    assert body["runtime"] in ("onnxruntime", "openvino")
    assert body["precision"] in ("float32", "bfloat16")
    assert body["thresholds"]["verify"] == MATCH
    assert 0 < body["thresholds"]["margin"] < 0.05
    assert body["thresholds"]["identify"] is None
    assert (body["thresholds"]["target_fmr"], body["thresholds"]["target_fpir"]) == (1e-3, 0.01)
    assert "LFW" in body["thresholds"]["source"]
    assert body["limits"]["max_image_bytes"] == 50_000_000
    assert {"JPEG", "PNG", "WEBP", "AVIF", "HEIF"} <= set(body["image_formats"])


def test_models_tell_licence_and_measurements(client: TestClient) -> None:
    models = {model["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert set(models) == set(ZOO)
    assert [name for name, model in models.items() if model["active"]] == [DEFAULT_NETWORK]
    assert models["dlib-resnet"]["license"] == "CC0-1.0"
    assert models["dlib-resnet"]["dimension"] == 128
    assert models[DEFAULT_NETWORK]["similarity_at_fmr"]["0.001"] == MATCH
    for name, entry in ZOO.items():
        measured = entry.spec.calibration
        thresholds = measured.thresholds() if measured else {}
        assert models[name]["similarity_at_fmr"] == {f"{k:g}": v for k, v in thresholds.items()}
        assert models[name]["measured_on"] == (measured.source if measured else None)
    assert models["facenet-vggface2"]["similarity_at_fmr"] == {}
    info = client.get("/v1/info").json()
    for key in ("runtime", "precision"):
        running = {name: model[key] for name, model in models.items() if model[key] is not None}
        assert running == {DEFAULT_NETWORK: info[key]}


def test_models_say_what_they_were_trained_on(client: TestClient) -> None:
    models = client.get("/v1/models").json()["models"]
    trained_on = {model["name"]: model["training_data"] for model in models}
    assert "may hold people of LFW" in trained_on["sface"]
    assert "FaceScrub" in trained_on["dlib-resnet"]
    assert trained_on["facenet-vggface2"] == "VGGFace2"
    assert all(trained_on.values())


def test_detectors_have_cards_and_one_is_active(client: TestClient) -> None:
    detectors = {one["name"]: one for one in client.get("/v1/models").json()["detectors"]}
    assert set(detectors) == set(DETECTOR_CARDS)
    active = [name for name, one in detectors.items() if one["active"]]
    assert active == [Settings().detector.name]
    assert detectors["mtcnn"]["license"] == "MIT"
    assert detectors["mtcnn"]["finds_landmarks"]
    assert "probability" in detectors["mtcnn"]["score"]
    assert [detectors[name]["min_score"] for name in ("mtcnn", "scrfd-10g")] == [0.9, 0.5]


def test_ready_once_an_embedding_was_made(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}


def test_metrics_count_requests_by_route_and_never_by_path(
    client: TestClient, collection: str
) -> None:
    counted = (
        'vultus_requests_total{method="POST",route="/v1/collections/{collection}/identify",'
        'status="200"}'
    )
    before = _sample(client, counted)
    client.post(f"/v1/collections/{collection}/identify", files=image("coffee"))
    assert _sample(client, counted) == before + 1
    client.get("/no/such/path")
    text = client.get("/metrics").text
    assert collection not in text
    assert "/no/such/path" not in text


def test_metrics_count_faces_and_decisions(client: TestClient, collection: str) -> None:
    decisions = 'vultus_decisions_total{operation="identify",outcome="unknown"}'
    before = {name: _sample(client, name) for name in (decisions, "vultus_index_faces")}
    client.post(f"/v1/collections/{collection}/identify", files=image("hopper"))
    client.post(f"/v1/collections/{collection}/identities", files=image("hopper", "images"))
    assert _sample(client, decisions) == before[decisions] + 1
    assert _sample(client, "vultus_index_faces") == before["vultus_index_faces"] + 1


def test_stats_count_statuses_of_a_route(client: TestClient) -> None:
    def statuses() -> dict[str, int]:
        counts: dict[str, int] = client.get("/v1/stats").json()["statuses"][route]["by_status"]
        return counts

    route = "GET /v1/collections/{collection}"
    client.get("/v1/collections/default")
    client.get("/v1/collections/nothing-here")
    before = statuses()
    for name in ("default", "nothing-here", "nothing-here"):
        client.get(f"/v1/collections/{name}")
    after = statuses()
    assert (after["200"], after["404"]) == (before["200"] + 1, before["404"] + 2)
    stats = client.get("/v1/stats").json()
    since_start, lately = stats["statuses"][route], stats["routes"][route]
    assert since_start["count"] == sum(after.values())
    assert since_start["by_class"]["4xx"] >= after["404"]
    assert lately["statuses"]["by_status"]["404"] >= 3
    assert lately["requests_per_s"] > 0
    assert set(stats["statuses"]) >= set(stats["routes"])


def test_routes_are_counted_by_the_paths_of_the_documentation(
    client: TestClient, collection: str
) -> None:
    client.get(f"/v1/collections/{collection}/unknowns/{'0' * 32}")
    counted = {route.split()[-1] for route in client.get("/v1/stats").json()["statuses"]}
    assert "/v1/collections/{collection}/unknowns/{group_id}" in counted
    paths = set(client.get("/openapi.json").json()["paths"])
    assert {path for path in counted if path.startswith("/v1/")} <= paths


def test_stats_tell_threads_connections_and_problems(client: TestClient) -> None:
    stats = client.get("/v1/stats").json()
    assert stats["threads"]["read"]["running"] >= 0
    assert set(stats["threads"]["write"]) == {"running", "waiting", "refused"}
    assert stats["open_connections"] == 0  # the test client opens none
    assert stats["problems"] == []
    assert stats["pid"] == os.getpid()
    assert stats["uptime_s"] > 0
