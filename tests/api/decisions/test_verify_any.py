"""Comparing each face of a group, and bystanders who do not count."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import ImageFilter

from tests.api.conftest import Enroll, image, problem
from tests.kit import photos


def _beside_a_blurred_face() -> bytes:
    """Grace Hopper, sharp, beside Eileen Collins, who is below the floor."""
    both = photos.group()
    left = photos.astronaut()
    both.paste(left.filter(ImageFilter.GaussianBlur(6)), (0, 0))
    return photos.encoded(both)


BYSTANDER = ("photo.jpg", _beside_a_blurred_face())


def verify(client: TestClient, files: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/verify", data=fields, files=files)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def pair(one: str, other: str) -> dict[str, Any]:
    return {**image(one, "image_a"), **image(other, "image_b")}


def test_a_person_is_found_in_a_group_and_the_answer_says_where(client: TestClient) -> None:
    done = verify(client, pair("hopper_again", "group"), faces="any")
    assert done["match"] is True
    best, other = done["comparisons"]
    assert best["similarity"] == done["similarity"] > other["similarity"]
    detected = client.post("/v1/detect", files=image("group")).json()["faces"]
    for found in (best, other):
        first, second = found["face_indices"]
        assert first == 0
        assert found["boxes"][1] == pytest.approx(detected[second]["box"])
    assert best["boxes"][1][0] > 512  # Grace Hopper is on the right
    assert [face["box"] for face in done["faces"]] == best["boxes"]


def test_one_face_a_photo_is_one_comparison(client: TestClient) -> None:
    done = verify(client, pair("astronaut", "hopper"))
    assert done["match"] is False
    assert [found["face_indices"] for found in done["comparisons"]] == [[0, 0]]
    assert done["passed_over"] == []


def test_more_comparisons_demand_more_for_the_same_rate(client: TestClient) -> None:
    group = verify(client, pair("hopper_again", "group"), faces="any", target_fmr="0.001")
    alone = verify(client, pair("hopper_again", "hopper"), target_fmr="0.0005")
    assert group["threshold"] == pytest.approx(alone["threshold"], abs=1e-6)
    both = verify(client, pair("group", "group"), faces="any", target_fmr="0.001")
    assert len(both["comparisons"]) == 4
    assert both["threshold"] > group["threshold"]
    fixed = verify(client, pair("hopper_again", "group"), faces="any", threshold="0.9")
    assert fixed["threshold"] == 0.9
    assert fixed["fmr"]["value"] == pytest.approx(group["fmr"]["value"])


def test_each_face_of_a_group_is_compared_with_an_enrolled_person(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("hopper_again", external_id="grace")
    fields = {"collection": collection, "identity_id": "ext:grace"}
    done = verify(client, image("group"), faces="any", **fields)
    assert done["match"] is True
    assert [len(found["face_indices"]) for found in done["comparisons"]] == [1, 1]
    assert done["faces"][0]["box"][0] > 512
    several = client.post("/v1/verify", data=fields, files=image("group"))
    problem(several, 422, "several_faces")


@pytest.mark.parametrize("faces", ["single", "any"])
def test_a_blurred_bystander_is_not_compared(client: TestClient, faces: str) -> None:
    files = {**image("hopper", "image_a"), "image_b": BYSTANDER}
    done = verify(client, files, faces=faces)
    assert done["match"] is True
    assert len(done["comparisons"]) == 1
    (other,) = done["passed_over"]
    assert (other["image_index"], other["reasons"]) == (1, ["low_sharpness"])


def test_a_bad_bystander_who_is_compared_takes_the_rate_away(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    files = {**image("hopper", "image_a"), "image_b": BYSTANDER}
    done = verify(client, files, faces="any", quality_filter="none")
    assert done["match"] is True
    assert len(done["comparisons"]) == 2
    assert (done["fmr"], done["rate_reason"]) == (None, "low_quality")
    enroll("hopper", external_id="grace")
    fields = {"collection": collection, "identity_id": "ext:grace", "faces": "any"}
    done = verify(client, {"image": BYSTANDER}, quality_filter="none", **fields)
    assert done["match"] is True
    assert (done["fmr"], done["rate_reason"]) == (None, "low_quality")
    done = verify(client, {"image": BYSTANDER}, **fields)
    assert done["fmr"]["value"] < 0.01
    assert done["rate_reason"] is None


def test_a_photo_without_a_face_is_refused_in_any_way(client: TestClient) -> None:
    for faces in ("single", "largest", "any"):
        response = client.post(
            "/v1/verify", data={"faces": faces}, files=pair("astronaut", "coffee")
        )
        problem(response, 422, "no_face")


def test_any_is_no_rule_for_enrolling(enroll: Enroll) -> None:
    problem(enroll("group", faces="any"), 422, "invalid_request")
