"""Photos that are not good enough, over HTTP."""

import json
from base64 import b64encode
from functools import cache
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageEnhance, ImageFilter

from tests.api.conftest import Enroll, image, images, photo, problem
from tests.api.people import JSON_LINES, counts, embedding, enroll_all, lines
from tests.kit import photos

LEVELS = ("floor", "low", "auto", "medium", "high")


@cache
def bad(fault: str) -> bytes:
    """A photo with one fault, in which the face is found all the same."""
    eileen, grace = photos.astronaut(), photos.hopper()
    noise = np.random.default_rng(1).normal(0, 80, photos.pixels(grace).shape)
    made = {
        "blurred": lambda: eileen.filter(ImageFilter.GaussianBlur(6)),
        "dark": lambda: ImageEnhance.Brightness(grace).enhance(0.1),
        "bright": lambda: ImageEnhance.Brightness(grace).enhance(2.2),
        "cut": lambda: grace.crop((215, 0, *grace.size)),
        "noisy": lambda: Image.fromarray(
            np.clip(photos.pixels(grace) + noise, 0, 255).astype(np.uint8)
        ),
    }[fault]()
    return photos.encoded(made, "PNG")


def post(client: TestClient, url: str, field: str, content: bytes, **data: str) -> Any:
    return client.post(url, data=data, files={field: ("photo.png", content)})


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("blurred", "low_sharpness", "hold still"),
        ("noisy", "low_sharpness", "more light"),
        ("cut", "cropped_face", "all of the face"),
        ("dark", "low_brightness", "more light"),
        ("bright", "high_brightness", "less light"),
    ],
)
def test_bad_photo_is_not_enrolled_and_the_answer_says_why(
    client: TestClient, collection: str, fault: str, reason: str, words: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    response = post(client, url, "images", bad(fault), name="Eileen")
    assert response.status_code == 422, response.text
    (rejected,) = response.json()["rejected"]
    assert reason in rejected["reasons"]
    assert words in rejected["detail"]
    assert "level auto demands at" in rejected["detail"]
    assert len(rejected["faces"]) == 1
    assert counts(client, collection) == (0, 0)


def test_one_fault_is_the_code_of_the_problem(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    problem(post(client, url, "images", bad("blurred")), 422, "low_sharpness")


def test_bad_photo_is_enrolled_when_quality_does_not_matter(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    response = post(client, url, "images", bad("blurred"), quality_filter="none")
    assert response.status_code == 201, response.text
    (face,) = response.json()["faces"]
    assert face["quality"] < 40
    identity = response.json()["identity"]["id"]
    (listed,) = client.get(f"{url}/{identity}/faces").json()["faces"]
    assert listed["quality"] == face["quality"]


def test_good_photos_are_enrolled_and_the_bad_among_them_listed(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    files = [*images("astronaut", "coffee"), ("images", ("blurred.png", bad("blurred")))]
    body = client.post(url, files=files).json()
    assert [face["image_index"] for face in body["faces"]] == [0]
    assert body["faces"][0]["quality"] > 80
    assert [one["reasons"] for one in body["rejected"]] == [["no_face"], ["low_sharpness"]]


@pytest.mark.parametrize("how", ["form", "query", "json"])
def test_level_is_taken_from_form_query_and_json(
    client: TestClient, collection: str, enroll: Enroll, how: str
) -> None:
    identity = enroll("astronaut").json()["identity"]["id"]
    url = f"/v1/collections/{collection}/identities/{identity}/faces"
    problem(post(client, url, "images", bad("blurred")), 422, "low_sharpness")
    options = {"quality_filter": "none", "force": "true"}  # so blurred, it is like nobody
    if how == "form":
        response = post(client, url, "images", bad("blurred"), **options)
    elif how == "query":
        response = client.post(url, params=options, files={"images": ("a.png", bad("blurred"))})
    else:
        encoded = b64encode(bad("blurred")).decode("ascii")
        response = client.post(url, json={"images": [encoded], **options, "force": True})
    assert response.status_code == 201, response.text
    assert counts(client, collection) == (1, 2)


def test_unknown_level_is_refused(client: TestClient, collection: str, enroll: Enroll) -> None:
    body = problem(enroll("astronaut", quality_filter="superb"), 422, "invalid_request")
    assert body["errors"][0]["field"] == "quality_filter"
    assert counts(client, collection) == (0, 0)


def test_lines_of_a_batch_are_each_held_to_their_level(client: TestClient, collection: str) -> None:
    encoded = b64encode(bad("blurred")).decode("ascii")
    people = lines(
        {"external_id": "1", "images": [encoded]},
        {"external_id": "2", "images": [encoded], "quality_filter": "none"},
    )
    response = client.post(
        f"/v1/collections/{collection}/identities:batch", content=people, headers=JSON_LINES
    )
    refused, taken = map(json.loads, response.text.splitlines())
    assert (refused["status"], refused["code"]) == ("rejected", "low_sharpness")
    assert refused["rejected"][0]["reasons"] == ["low_sharpness"]
    assert taken["status"] == "enrolled"
    assert counts(client, collection) == (1, 1)


@cache
def blurred_beside_sharp() -> bytes:
    """The astronaut, blurred, beside Grace Hopper as she is."""
    good = photos.group()
    left = good.crop((0, 0, 512, good.height)).filter(ImageFilter.GaussianBlur(6))
    good.paste(left, (0, 0))
    return photos.encoded(good, "PNG")


def test_identify_rejects_the_bad_face_and_looks_up_the_others(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    for name in ("astronaut", "hopper"):
        assert enroll(name, name=name).status_code == 201
    url = f"/v1/collections/{collection}/identify"
    response = post(client, url, "image", blurred_beside_sharp(), quality_filter="none")
    everybody = response.json()["faces"]
    assert [face["reasons"] for face in everybody] == [[], []]
    assert "rejected" not in {face["status"] for face in everybody}
    assert all(face["candidates"] for face in everybody)

    response = post(client, url, "image", blurred_beside_sharp())
    faces = response.json()["faces"]
    hopper, astronaut = sorted(faces, key=lambda face: -face["box"][0])
    assert (hopper["status"], hopper["identity"]["name"]) == ("match", "hopper")
    assert hopper["reasons"] == []
    assert hopper["quality"] > 80
    assert astronaut["status"] == "rejected"
    assert astronaut["reasons"] == ["low_sharpness"]
    assert astronaut["quality"] < 40
    nothing: dict[str, object] = {
        "identity": None,
        "similarity": None,
        "candidates": [],
        "matched_stage": None,
    }
    assert {field: astronaut[field] for field in nothing} == nothing


def test_rejected_face_is_not_remembered_as_a_match(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    identity = enroll("astronaut", quality_filter="none").json()["identity"]["id"]
    url = f"/v1/collections/{collection}/identify"
    before = decisions(client)
    options = {"terminal_id": "till", "threshold": "-1"}
    for _ in range(2):
        body = post(client, url, "image", bad("blurred"), quality_filter="auto", **options).json()
        assert [face["status"] for face in body["faces"]] == ["rejected"]
    told = decisions(client)
    assert told.get("rejected", 0) == before.get("rejected", 0) + 2
    assert told.get("match", 0) == before.get("match", 0)
    (face,) = client.post(url, data=options, files=image("astronaut")).json()["faces"]
    assert face["identity"]["id"] == identity
    assert face["matched_stage"] == 0, "nobody was remembered at the terminal"


def decisions(client: TestClient) -> dict[str, float]:
    start = 'vultus_decisions_total{operation="identify",outcome="'
    return {
        line.removeprefix(start).split('"')[0]: float(line.split()[-1])
        for line in client.get("/metrics").text.splitlines()
        if line.startswith(start)
    }


def test_verify_rejects_a_bad_photo_and_claims_no_rate_of_it(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    pair = {
        "image_a": ("a.jpg", photo("astronaut")),
        "image_b": ("b.png", bad("blurred")),
    }
    identity = enroll("astronaut").json()["identity"]["id"]
    person = {"collection": collection, "identity_id": identity}
    one = {"image": ("b.png", bad("blurred"))}
    for files, fields, place in ((pair, {}, 1), (one, person, 0)):
        for level in ({}, {"quality_filter": "auto"}):
            body = client.post("/v1/verify", files=files, data={**fields, **level}).json()
            assert (body["status"], body["match"]) == ("rejected", False)
            assert (body["similarity"], body["fmr"]) == (None, None)
            assert body["rate_reason"] == "rejected"
            (rejected,) = body["rejected"]
            assert rejected["image_index"] == place
            assert rejected["reasons"] == ["low_sharpness"]
            assert "hold still" in rejected["detail"]
            assert len(body["faces"]) == len(files)
        decided = client.post(
            "/v1/verify", files=files, data={**fields, "quality_filter": "none"}
        ).json()
        assert decided["status"] == ("match" if decided["match"] else "no_match")
        assert decided["match"] == (decided["similarity"] >= decided["threshold"])
        assert (decided["fmr"], decided["rate_reason"]) == (None, "low_quality")
        assert decided["rejected"] == []


def test_quality_of_every_face_is_told_by_component_and_level(client: TestClient) -> None:
    body = post(client, "/v1/quality", "image", blurred_beside_sharp()).json()
    assert (body["image"]["width"], body["image"]["height"]) == (1024, 600)
    hopper, astronaut = sorted(body["faces"], key=lambda face: -face["box"][0])
    for face in (hopper, astronaut):
        scores = [component["score"] for component in face["components"].values()]
        assert len(scores) == 14
        assert face["unified"] == min(scores)
        assert list(face["rejected"]) == list(LEVELS)
        assert set(face["landmarks"]) >= {"left_eye", "nose"}
    assert hopper["rejected"] == {level: [] for level in LEVELS}
    assert astronaut["rejected"]["auto"] == ["low_sharpness"]
    assert astronaut["components"]["sharpness"]["score"] < 20
    assert client.post("/v1/quality", files=image("coffee")).json()["faces"] == []


def test_quality_tells_a_flat_face(client: TestClient) -> None:
    flat = ImageEnhance.Contrast(photos.hopper()).enhance(0.2)
    (face,) = post(client, "/v1/quality", "image", photos.encoded(flat, "PNG")).json()["faces"]
    assert "low_contrast" in face["rejected"]["high"]
    assert face["rejected"]["floor"] == []


def test_quality_tells_a_small_face(client: TestClient) -> None:
    small = photos.astronaut().resize((180, 180), Image.Resampling.LANCZOS)
    (face,) = post(client, "/v1/quality", "image", photos.encoded(small, "PNG")).json()["faces"]
    assert face["rejected"]["medium"] == ["small_face"]


def test_embedded_face_tells_its_quality(client: TestClient) -> None:
    assessed = client.post("/v1/quality", files=image("hopper")).json()["faces"][0]
    embedded = client.post("/v1/embed", files=image("hopper")).json()["faces"][0]
    assert embedded["quality"] == assessed["unified"]


def test_refused_faces_are_events_without_the_photo(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}"
    post(client, f"{url}/identities", "images", bad("blurred"))
    options = {"quality_filter": "auto", "terminal_id": "door"}
    for _ in range(2):
        found = post(client, f"{url}/identify", "image", bad("blurred"), **options)
        assert found.json()["faces"][0]["status"] == "rejected"
    (person,) = enroll_all(client, collection, {"embeddings": [embedding(1)]})
    body = {"collection": collection, "identity_id": person}
    verified = post(client, "/v1/verify", "image", bad("blurred"), quality_filter="auto", **body)
    assert verified.json()["status"] == "rejected", verified.text
    services = client.app.state.services  # type: ignore[attr-defined]
    services.rejections.flush()
    query: dict[str, str | int] = {"types": "quality.rejected", "after": 0, "wait_s": 0}
    text = client.get("/v1/events", params={**query, "collection": collection}).text
    found_events = [json.loads(line[6:]) for line in text.splitlines() if line[:6] == "data: "]
    assert [event["data"]["operation"] for event in found_events] == [
        "enroll",
        "identify",
        "verify",
    ]
    assert [event["data"]["terminal_id"] for event in found_events] == [None, "door", None]
    assert {tuple(event["data"]["reasons"]) for event in found_events} == {("low_sharpness",)}
