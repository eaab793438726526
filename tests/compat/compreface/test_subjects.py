"""Subjects of CompreFace are people, by name."""

import pytest

from tests.compat.compreface.conftest import RECOGNITION, Program, refused

_SUBJECTS = f"{RECOGNITION}/subjects"


def test_a_subject_is_added_listed_renamed_and_deleted(program: Program) -> None:
    assert program.subjects == []
    added = program.send("POST", _SUBJECTS, json={"subject": "Ada Lovelace"})
    assert (added.status_code, added.json()) == (201, {"subject": "Ada Lovelace"})
    assert program.subjects == ["Ada Lovelace"]

    path = f"{_SUBJECTS}/ada%20LOVELACE"
    assert program.ask("PUT", path, json={"subject": "Ada King", "api_endpoint": "x"}) == {
        "updated": True
    }
    assert program.subjects == ["Ada King"]
    assert program.ask("DELETE", f"{_SUBJECTS}/ada%20king/") == {"subject": "Ada King"}
    assert program.subjects == []


def test_a_subject_exists_whatever_the_case(program: Program) -> None:
    program.ask("POST", _SUBJECTS, json={"subject": "Zoë"})

    again = program.send("POST", _SUBJECTS, json={"subject": "ZOË"})

    assert refused(again, 400, 43) == "Subject already exists"
    assert program.subjects == ["Zoë"]


def test_a_rename_to_the_same_name_changes_nothing_and_one_of_the_case_does(
    program: Program,
) -> None:
    program.ask("POST", _SUBJECTS, json={"subject": "ada"})

    assert program.ask("PUT", f"{_SUBJECTS}/ADA", json={"subject": "ada"}) == {"updated": False}
    assert program.ask("PUT", f"{_SUBJECTS}/ada", json={"subject": "Ada"}) == {"updated": True}
    assert program.subjects == ["Ada"]


def test_a_rename_to_another_subject_merges_them(program: Program) -> None:
    kept, moved = program.enrol("ada", "Ada"), program.enrol("ada_again", "A. Lovelace")

    merged = program.ask("PUT", f"{_SUBJECTS}/a.%20lovelace", json={"subject": "ADA"})

    assert merged == {"updated": True}
    assert program.subjects == ["Ada"]
    faces = program.ask("GET", f"{RECOGNITION}/faces", params={"subject": "Ada"})["faces"]
    assert {face["image_id"] for face in faces} == {kept, moved}


def test_all_subjects_are_deleted_at_once_with_their_faces(program: Program) -> None:
    program.enrol("ada", "Ada")
    program.ask("POST", _SUBJECTS, json={"subject": "Nobody yet"})

    assert program.ask("DELETE", _SUBJECTS) == {"deleted": 2}
    assert program.subjects == []
    assert program.ask("GET", f"{RECOGNITION}/faces")["total_elements"] == 0


def test_names_that_no_subject_may_have_are_refused_by_number(program: Program) -> None:
    def add(body: object) -> tuple[int, int]:
        answer = program.send("POST", _SUBJECTS, json=body)
        return answer.status_code, answer.json()["code"]

    assert add({"subject": " "}) == (400, 26)
    assert add({"subject": "x" * 51}) == (400, 26)
    assert [add({"subject": name}) for name in ("a;b", "a/b", "a\\b")] == [(400, 36)] * 3
    assert [add({}), add({"subject": None})] == [(400, 5)] * 2
    assert [add([]), add({"subject": 7})] == [(400, 36)] * 2
    refused(program.send("POST", _SUBJECTS, content=b"{"), 400, 36)


def test_unknown_subjects_are_not_found(program: Program) -> None:
    missing = program.send("PUT", f"{_SUBJECTS}/Ada", json={"subject": "Eve"})

    assert refused(missing, 404, 42) == "Subject Ada not found"
    assert refused(program.send("DELETE", f"{_SUBJECTS}/Ada"), 404, 42) == "Subject Ada not found"


def test_people_of_v1_are_subjects_by_external_id_then_by_name(program: Program) -> None:
    people = f"/v1/collections/{program.collection}/identities"
    numbered = program.ask("POST", people, json={"name": "Ada", "external_id": "emp-1"})
    program.ask("POST", people, json={"name": "Grace"})
    nameless = program.ask("POST", people, json={})["identity"]["id"]
    assert program.subjects == ["emp-1", "Grace", nameless]

    assert program.ask("PUT", f"{_SUBJECTS}/ada", json={"subject": "emp-2"}) == {"updated": True}
    program.ask("PUT", f"{_SUBJECTS}/{nameless}", json={"subject": "Mona"})

    assert program.subjects == ["emp-2", "Grace", "Mona"]
    ada = program.ask("GET", f"{people}/{numbered['identity']['id']}")
    assert (ada["name"], ada["external_id"]) == ("Ada", "emp-2")


def test_a_name_that_several_people_have_is_not_guessed(program: Program) -> None:
    people = f"/v1/collections/{program.collection}/identities"
    for external_id in ("emp-1", "emp-2"):
        program.ask("POST", people, json={"name": "Ada", "external_id": external_id})

    message = refused(program.send("DELETE", f"{_SUBJECTS}/Ada"), 400, 36)

    assert message.startswith("2 people are called Ada")
    assert program.subjects == ["emp-1", "emp-2"]


def test_a_name_in_another_encoding_is_nobodys(program: Program) -> None:
    name = "J\N{REPLACEMENT CHARACTER}rg"
    program.ask("POST", _SUBJECTS, json={"subject": name})

    latin = program.send("DELETE", f"{_SUBJECTS}/J%F6rg")

    assert "percent-encoded UTF-8" in refused(latin, 400, 36)
    assert program.subjects == [name]


@pytest.mark.parametrize("path", ["subjects/%2F", "subjects//", "faces/%2F", "subjects/Ada%2F"])
def test_a_slash_in_a_name_is_not_that_at_the_end_of_a_path(program: Program, path: str) -> None:
    program.ask("POST", _SUBJECTS, json={"subject": "Ada"})

    assert program.send("DELETE", f"{RECOGNITION}/{path}").status_code == 404

    assert program.subjects == ["Ada"]
