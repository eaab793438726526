"""Faces of CompreFace are enrolled faces of people."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from fastapi.testclient import TestClient
from PIL import ImageFilter

from app.compat.compreface.codes import NO_FACE_TEXT, SEVERAL_FACES_TEXT
from tests.compat.compreface.conftest import RECOGNITION, Program, part, photo, refused
from tests.kit import photos

_FACES = f"{RECOGNITION}/faces"


def test_a_photo_becomes_an_example_of_its_subject(program: Program) -> None:
    answer = program.send("POST", _FACES, params={"subject": "Ada"}, files=part("ada"))

    assert answer.status_code == 201
    example = answer.json()
    assert example == {"image_id": str(UUID(example["image_id"])), "subject": "Ada"}
    assert program.ask("GET", _FACES) == {
        "faces": [example],
        "page_number": 0,
        "page_size": 20,
        "total_pages": 1,
        "total_elements": 1,
    }


def test_a_further_photo_joins_the_subject_whatever_the_case(program: Program) -> None:
    first, second = program.enrol("ada", "Ada"), program.enrol("ada_again", "ADA")

    listed = program.ask("GET", _FACES)["faces"]

    assert listed == [{"image_id": one, "subject": "Ada"} for one in (first, second)]
    assert program.enrol("ada", "Ada") == first  # the same photo again
    assert program.ask("GET", _FACES)["total_elements"] == 2


def test_a_photo_may_come_as_base64_also_of_a_data_url(program: Program) -> None:
    text = b64encode(photo("ada")).decode()

    for sent in (text, f"data:image/jpeg;base64,{text}"):
        body = {"file": sent, "other": 1}
        assert program.ask("POST", _FACES, params={"subject": "Ada"}, json=body)["image_id"]

    assert program.ask("GET", _FACES)["total_elements"] == 1


def test_a_subject_needs_exactly_one_face(program: Program) -> None:
    def add(**request: object) -> tuple[int, int, str]:
        request.setdefault("params", {"subject": "Ada"})
        answer = program.send("POST", _FACES, **request)
        return answer.status_code, answer.json()["code"], answer.json()["message"]

    assert add(files=part("coffee")) == (400, 28, NO_FACE_TEXT)
    assert add(files=part("group")) == (400, 31, SEVERAL_FACES_TEXT)
    assert add(files={"file": ("ada.jpg", b"no photo")}) == (400, 28, NO_FACE_TEXT)
    assert add(files={"file": ("ada.jpg", b"")}) == (400, 28, NO_FACE_TEXT)
    assert add(files={"image": ("a.jpg", b"x")}) == (400, 34, "Required part file is missing")
    assert add(json={})[:2] == (400, 5)
    assert add(json={"file": "./ada.jpg"})[:2] == (400, 21)
    assert add(json={"file": 7})[:2] == (400, 21)
    missing = add(files=part("ada"), params={})
    assert missing == (400, 33, "Required parameter subject is missing")
    assert add(files=part("ada"), params={"subject": " "})[:2] == (400, 26)
    assert add(files=part("ada"), params={"subject": "a/b"})[:2] == (400, 36)
    assert add(files=part("ada"), params={"subject": "x" * 51})[:2] == (400, 26)
    assert program.subjects == []


def test_faces_are_listed_by_page_and_by_the_exact_subject(program: Program) -> None:
    ids = [program.enrol(name, who) for name, who in (("ada", "Ada"), ("grace", "Grace"))]

    page = program.ask("GET", _FACES, params={"page": 1, "size": 1})
    of_one = program.ask("GET", _FACES, params={"subject": "Ada"})
    of_none = program.ask("GET", _FACES, params={"subject": "ada"})

    assert page == {
        "faces": [{"image_id": ids[1], "subject": "Grace"}],
        "page_number": 1,
        "page_size": 1,
        "total_pages": 2,
        "total_elements": 2,
    }
    assert [face["image_id"] for face in of_one["faces"]] == ids[:1]
    assert (of_none["faces"], of_none["total_pages"], of_none["total_elements"]) == ([], 0, 0)


def test_a_face_is_deleted_by_its_id_alone_and_the_subject_stays(program: Program) -> None:
    image_id = program.enrol("ada", "Ada")

    deleted = program.ask("DELETE", f"{_FACES}/{image_id}")

    assert deleted == {"image_id": image_id, "subject": "Ada"}
    assert program.subjects == ["Ada"]
    again = refused(program.send("DELETE", f"{_FACES}/{image_id}"), 404, 44)
    assert again == f"Image {image_id} not found"
    refused(program.send("DELETE", f"{_FACES}/no%20id"), 404, 44)


def test_many_faces_are_deleted_at_once_and_unknown_ones_are_left_out(program: Program) -> None:
    ada, grace = program.enrol("ada", "Ada"), program.enrol("grace", "Grace")

    sent = [grace, str(uuid4()), "no id", ada, ada]
    deleted = program.ask("POST", f"{_FACES}/delete", json=sent)

    assert sorted(deleted, key=lambda one: one["subject"]) == [
        {"image_id": ada, "subject": "Ada"},
        {"image_id": grace, "subject": "Grace"},
    ]
    assert program.ask("POST", f"{_FACES}/delete", json=[ada]) == []
    refused(program.send("POST", f"{_FACES}/delete", json=[]), 400, 5)
    refused(program.send("POST", f"{_FACES}/delete", json={"ids": [ada]}), 400, 36)


def test_faces_of_a_subject_are_deleted_with_it_and_those_of_nobody_are_no_error(
    program: Program,
) -> None:
    program.enrol("ada", "Ada")
    program.enrol("ada_again", "Ada")
    program.enrol("grace", "Grace")

    assert program.ask("DELETE", _FACES, params={"subject": "Nobody"}) == {"deleted": 0}
    assert program.ask("DELETE", _FACES, params={"subject": "ada"}) == {"deleted": 2}
    assert program.subjects == ["Grace"]
    # An empty name deletes nothing: a program whose variable is empty means no face, not all.
    refused(program.send("DELETE", _FACES, params={"subject": ""}), 400, 26)
    assert program.ask("DELETE", _FACES) == {"deleted": 1}
    assert program.subjects == []


def test_a_photo_of_a_face_is_empty_where_none_is_kept(program: Program) -> None:
    for image_id in (program.enrol("ada", "Ada"), str(uuid4()), "no id"):
        answer = program.send("GET", f"{_FACES}/{image_id}/img")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == "application/octet-stream"


def test_a_request_with_an_idempotency_key_is_carried_out_once(program: Program) -> None:
    program.headers["idempotency-key"] = str(uuid4())
    sent = {"params": {"subject": "Ada"}, "files": part("ada")}

    first = program.send("POST", _FACES, **sent)
    assert program.ask("DELETE", f"{_FACES}/{first.json()['image_id']}")
    again = program.send("POST", _FACES, **sent)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert program.ask("GET", _FACES)["total_elements"] == 0
    other = program.send("POST", _FACES, params={"subject": "Ada"}, files=part("grace"))
    refused(other, 409, 36)


def test_faces_of_anonymous_people_are_no_examples_of_subjects(program: Program) -> None:
    people = f"/v1/collections/{program.collection}/identities"
    program.ask("POST", people, data={"anonymous": "true"}, files=part("ada", "images"))
    image_id = program.enrol("ada_again", "Ada")

    assert [face["image_id"] for face in program.ask("GET", _FACES)["faces"]] == [image_id]
    assert program.subjects == ["Ada"]
    (face,) = program.recognise("ada")
    assert face["subjects"][0]["subject"] == "Ada"
    assert face["subjects"][0]["similarity"] >= 0.5


def test_a_face_that_is_not_good_enough_is_refused_with_the_reason(program: Program) -> None:
    blurred = photos.encoded(photos.astronaut().filter(ImageFilter.GaussianBlur(7)))

    answer = program.send(
        "POST", _FACES, params={"subject": "Ada"}, files={"file": ("ada.jpg", blurred)}
    )

    assert "sharp" in refused(answer, 400, 36)
    assert program.subjects == []


def test_the_crop_of_a_face_is_its_photo_where_crops_are_kept(
    keyed: TestClient, program: Program
) -> None:
    path = f"/v1/collections/{program.collection}"
    kept = keyed.patch(path, json={"options": {"crops": {"keep": True}}})
    assert kept.status_code == 200, kept.text
    image_id = program.enrol("ada", "Ada")

    answer = program.send("GET", f"{_FACES}/{image_id}/img")

    assert answer.headers["content-type"] == "image/jpeg"
    assert photos.opened(answer.content).size == (336, 336)
    assert answer.headers["cache-control"] == "no-store"


def test_photos_that_come_at_once_join_one_subject(program: Program) -> None:
    with ThreadPoolExecutor(2) as threads:
        ids = list(threads.map(lambda name: program.enrol(name, "Ada"), ("ada", "ada_again")))

    assert program.subjects == ["Ada"]
    assert {face["image_id"] for face in program.ask("GET", _FACES)["faces"]} == set(ids)


def test_faces_of_a_person_under_a_legal_hold_are_kept(program: Program) -> None:
    image_id = program.enrol("ada", "Ada")
    people = f"/v1/collections/{program.collection}/identities"
    hold = program.client.put(
        f"{people}/ext:Ada/hold", json={"reason": "a case"}, headers={"x-api-key": "admin"}
    )
    assert hold.status_code == 200, hold.text

    for path in (f"{_FACES}/{image_id}", f"{_FACES}?subject=Ada", _FACES):
        assert "hold" in refused(program.send("DELETE", path), 409, 36)

    assert program.ask("POST", f"{_FACES}/delete", json=[image_id]) == []
    assert program.ask("GET", _FACES)["total_elements"] == 1


def test_faces_of_anonymous_people_stay_when_subjects_are_deleted(program: Program) -> None:
    people = f"/v1/collections/{program.collection}/identities"
    program.ask("POST", people, data={"anonymous": "true"}, files=part("grace", "images"))
    (face,) = program.ask("GET", f"/v1/collections/{program.collection}/faces")["faces"]
    program.enrol("ada", "Ada")

    assert program.ask("POST", f"{_FACES}/delete", json=[face["id"]]) == []
    refused(program.send("DELETE", f"{_FACES}/{face['id']}"), 404, 44)
    owner = face["identity"]["id"]
    refused(program.send("DELETE", f"{RECOGNITION}/subjects/{owner}"), 404, 42)
    compared = program.ask("POST", f"{_FACES}/{face['id']}/verify", files=part("grace"))
    assert [(one["subject"], one["similarity"]) for one in compared["result"]] == [("", 0.0)]
    assert program.ask("DELETE", f"{RECOGNITION}/subjects") == {"deleted": 1}
    program.enrol("ada", "Ada")
    assert program.ask("DELETE", _FACES) == {"deleted": 1}

    assert program.ask("GET", f"/v1/collections/{program.collection}")["face_count"] == 1
