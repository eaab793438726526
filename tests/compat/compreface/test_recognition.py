"""Recognition, detection and verification in CompreFace's words."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from app.compat.compreface.codes import NO_FACE_TEXT, SEVERAL_FACES_TEXT
from tests.compat.compreface.conftest import RECOGNITION, Program, part, refused

_DETECT = "/api/v1/detection/detect"
_VERIFY = "/api/v1/verification/verify"
_UNKNOWN = [{"subject": "unknown", "similarity": 0.0}]


@pytest.fixture
def enrolled(program: Program) -> Program:
    """A program whose collection has Ada and Grace."""
    program.enrol("ada", "Ada")
    program.enrol("grace", "Grace")
    return program


def _both(source: str, target: str) -> dict[str, tuple[str, bytes]]:
    return part(source, "source_image") | part(target, "target_image")


def test_a_person_is_named_with_at_least_half_and_a_stranger_with_less(enrolled: Program) -> None:
    (face,) = enrolled.recognise("ada_again")
    (best,) = face["subjects"]
    assert best["subject"] == "Ada"
    assert 0.5 <= best["similarity"] <= 1

    (stranger,) = enrolled.recognise("mona")
    (nearest,) = stranger["subjects"]
    assert nearest["subject"] in {"Ada", "Grace"}
    assert 0 <= nearest["similarity"] < 0.5


def test_every_face_is_answered_largest_first(enrolled: Program) -> None:
    faces = enrolled.recognise("group", prediction_count=2)

    sizes = [
        (face["box"]["x_max"] - face["box"]["x_min"])
        * (face["box"]["y_max"] - face["box"]["y_min"])
        for face in faces
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert {face["subjects"][0]["subject"] for face in faces} == {"Ada", "Grace"}
    assert [len(face["subjects"]) for face in faces] == [2, 2]
    assert enrolled.recognise("group", limit=1) == [
        {**faces[0], "subjects": faces[0]["subjects"][:1]}
    ]


def test_a_box_is_whole_pixels_with_its_probability(enrolled: Program) -> None:
    (face,) = enrolled.recognise("ada_again")

    assert set(face) == {"box", "subjects"}
    box = face["box"]
    probability = box.pop("probability")
    assert 0.8 < probability <= 1
    assert round(probability, 5) == probability
    assert all(isinstance(edge, int) for edge in box.values())
    assert 0 <= box["x_min"] < box["x_max"]
    assert 0 <= box["y_min"] < box["y_max"]


def test_a_caller_without_templates_sees_no_name_where_nobody_is_alike(
    enrolled: Program, program_of: Callable[..., Program]
) -> None:
    operator = program_of("operator", enrolled.collection)

    (known,) = operator.recognise("ada_again")
    (stranger,) = operator.recognise("mona")

    assert known["subjects"][0]["subject"] == "Ada"
    assert known["subjects"][0]["similarity"] >= 0.5
    assert stranger["subjects"] == _UNKNOWN


def test_without_faces_nobody_is_named(program: Program) -> None:
    (face,) = program.recognise("ada", status=True)

    assert face["subjects"] == []


def test_two_people_who_are_equally_alike_are_both_below_half(enrolled: Program) -> None:
    enrolled.enrol("ada", "Her twin")

    (face,) = enrolled.recognise("ada_again", prediction_count=3)

    assert {one["subject"] for one in face["subjects"][:2]} == {"Ada", "Her twin"}
    assert [one["similarity"] < 0.5 for one in face["subjects"]] == [True, True, True]


def test_a_person_who_does_not_reach_a_threshold_of_their_own_is_below_half(
    enrolled: Program,
) -> None:
    person = f"/v1/collections/{enrolled.collection}/identities/ext:Ada"
    enrolled.send("PATCH", person, json={"threshold": 0.999}).raise_for_status()

    (face,) = enrolled.recognise("ada_again")

    assert face["subjects"][0]["subject"] == "Ada"
    assert 0.4 < face["subjects"][0]["similarity"] < 0.5


def test_plugins_add_what_they_know_and_others_are_left_out(
    enrolled: Program, program_of: Callable[..., Program]
) -> None:
    options = {
        "face_plugins": "landmarks,calculator,pose,age,gender,mask,undefined",
        "status": "True",
    }
    answer = enrolled.ask(
        "POST", f"{RECOGNITION}/recognize", params=options, files=part("ada_again")
    )

    (face,) = answer["result"]
    assert set(face) == {"box", "subjects", "landmarks", "pose", "embedding", "execution_time"}
    assert all(abs(face["pose"][angle]) < 30 for angle in ("pitch", "roll", "yaw"))
    assert [len(point) for point in face["landmarks"]] == [2] * 5
    left_eye, right_eye, nose, *_ = face["landmarks"]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert sum(number**2 for number in face["embedding"]) == pytest.approx(1, abs=1e-3)
    assert set(face["execution_time"]) == {"detector", "calculator"}
    assert set(answer["plugins_versions"]) == {"detector", "calculator", "pose"}

    operator = program_of("operator", enrolled.collection)
    (face,) = operator.recognise("ada_again", face_plugins="calculator")
    assert set(face) == {"box", "subjects"}  # embeddings need a right of their own


def test_a_face_counts_from_the_probability_that_is_demanded(enrolled: Program) -> None:
    path = f"{RECOGNITION}/recognize"

    strict = enrolled.send("POST", path, params={"det_prob_threshold": 1}, files=part("ada"))

    assert refused(strict, 400, 28) == NO_FACE_TEXT
    assert len(enrolled.recognise("ada", det_prob_threshold=0.8)) == 1


def test_a_crop_is_recognised_without_detection(enrolled: Program) -> None:
    (whole,) = enrolled.recognise("ada", detect_faces="false")

    assert whole["box"] == {
        "probability": 1.0,
        "x_min": 0,
        "y_min": 0,
        "x_max": 512,
        "y_max": 512,
    }


def test_a_photo_without_faces_is_an_error_with_the_message_that_programs_compare(
    enrolled: Program,
) -> None:
    paths = (f"{RECOGNITION}/recognize", _DETECT, f"{RECOGNITION}/faces/{uuid4()}/verify")
    for path in paths:
        assert refused(enrolled.send("POST", path, files=part("coffee")), 400, 28) == NO_FACE_TEXT
        unreadable = enrolled.send("POST", path, files={"file": ("a.jpg", b"no photo")})
        assert refused(unreadable, 400, 28) == NO_FACE_TEXT


def test_faces_are_detected_with_the_plugins_that_were_asked_for(program: Program) -> None:
    plain = program.ask("POST", _DETECT, files=part("group"))
    rich = program.ask(
        "POST",
        _DETECT,
        params={"face_plugins": "landmarks,pose,calculator", "status": "true", "limit": 1},
        files=part("group"),
    )

    assert [set(face) for face in plain["result"]] == [{"box"}, {"box"}]
    (face,) = rich["result"]
    assert face["box"] == plain["result"][0]["box"]
    assert set(face) == {"box", "landmarks", "pose", "embedding", "execution_time"}
    assert set(rich["plugins_versions"]) == {"detector", "calculator", "pose"}


def test_one_face_is_compared_with_each_face_of_another_photo(program: Program) -> None:
    def compare(source: str, target: str, **options: object) -> dict[str, Any]:
        (pair,) = program.ask("POST", _VERIFY, params=options, files=_both(source, target))[
            "result"
        ]
        found: dict[str, Any] = pair
        return found

    alone = compare("ada", "ada_again", status="true")
    (match,) = alone["face_matches"]
    assert match["similarity"] >= 0.5
    assert set(alone) == {"source_image_face", "face_matches", "plugins_versions"}
    assert set(alone["source_image_face"]) == {"box", "execution_time"}

    group = compare("ada", "group")["face_matches"]
    assert sorted(match["similarity"] >= 0.5 for match in group) == [False, True]
    (largest,) = compare("ada", "group", limit=1)["face_matches"]
    assert largest["box"] == group[0]["box"]


def test_a_source_needs_exactly_one_face_unless_the_largest_is_asked_for(program: Program) -> None:
    several = program.send("POST", _VERIFY, files=_both("group", "ada"))
    assert refused(several, 400, 31) == SEVERAL_FACES_TEXT
    for source, target in (("coffee", "ada"), ("ada", "coffee")):
        nobody = program.send("POST", _VERIFY, files=_both(source, target))
        assert refused(nobody, 400, 28) == NO_FACE_TEXT
    program.ask("POST", _VERIFY, params={"limit": 1}, files=_both("group", "ada"))
    missing = program.send("POST", _VERIFY, files=part("ada", "source_image"))
    assert refused(missing, 400, 34) == "Required part target_image is missing"


def test_a_photo_is_compared_with_an_enrolled_face(program: Program) -> None:
    image_id = program.enrol("ada", "Ada")

    def compare(image_id: str) -> list[dict[str, Any]]:
        path = f"{RECOGNITION}/faces/{image_id}/verify"
        result: list[dict[str, Any]] = program.ask("POST", path, files=part("group"))["result"]
        return result

    found = compare(image_id)
    assert [face["subject"] for face in found] == ["Ada", "Ada"]
    assert sorted(face["similarity"] >= 0.5 for face in found) == [False, True]
    assert compare(image_id.replace("-", "")) == found
    for unknown in (str(uuid4()), "no%20id"):
        assert [(face["subject"], face["similarity"]) for face in compare(unknown)] == [
            ("", 0.0),
            ("", 0.0),
        ]
