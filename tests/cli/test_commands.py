"""The commands, on real photos and a real database."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.api.schemas.collections import CollectionPage
from app.api.schemas.identify import IdentifyAnswer
from app.api.schemas.models import ModelsAnswer
from app.api.schemas.parts.answer import Answer
from app.api.schemas.people import PersonDocument
from app.api.schemas.verify import VerifyAnswer
from app.cli.main import cli, main
from app.cli.open_database import open_database
from app.gallery.records import CollectionChanges
from app.gallery.store.gallery_store import Store
from tests.kit import photos

RUN = CliRunner()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two people with two photos each, one of them unusable, and a folder with none to use."""
    folder = tmp_path / "people"
    contents = {
        "Eileen_Collins/1.jpg": photos.encoded(photos.astronaut()),
        "Eileen_Collins/2.png": photos.encoded(photos.coffee(), "PNG"),
        "Grace_Hopper/1.webp": photos.encoded(photos.hopper(), "WEBP", quality=95),
        "Grace_Hopper/2.jpg": photos.encoded(photos.group()),
        "Grace_Hopper/notes.txt": b"not a photo",
        "Nobody/1.jpg": b"damaged",
    }
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _json(*arguments: str | Path) -> dict[str, object]:
    result = RUN.invoke(cli, [*map(str, arguments), "--json"])
    assert result.exit_code in (0, 3), result.output
    parsed: dict[str, object] = json.loads(result.stdout)
    return parsed


def test_folder_is_enrolled_with_reasons_and_safely_again(people: Path) -> None:
    first = _json("enroll-folder", people)
    assert (first["people"], first["faces"], first["known_before"]) == (2, 2, 0)
    assert first["rejected"] == [
        {"photo": "Eileen_Collins/2.png", "reasons": ["no_face"]},
        {"photo": "Grace_Hopper/2.jpg", "reasons": ["several_faces"]},
        {"photo": "Nobody/1.jpg", "reasons": ["image_unreadable"]},
    ]
    again = _json("enroll-folder", people)
    assert (again["people"], again["faces"], again["known_before"]) == (0, 0, 2)

    (people / "Grace_Hopper" / "3.jpg").write_bytes(
        photos.encoded(photos.another_photo(photos.hopper()))
    )
    more = _json("enroll-folder", people)
    assert (more["people"], more["faces"], more["known_before"]) == (1, 1, 2)


def test_what_a_folder_has_and_is_not_enrolled_is_counted(people: Path) -> None:
    for name in (".DS_Store", "Grace_Hopper/.hidden.jpg", "loose.jpg", "Grace_Hopper/old/x.jpg"):
        (people / name).parent.mkdir(exist_ok=True)
        (people / name).write_bytes(photos.encoded(photos.hopper()))
    (people / "Empty").mkdir()
    (people / os.fsdecode(b"Jos\xe9")).mkdir()
    done = _json("enroll-folder", people)
    assert (done["photos"], done["faces"]) == (5, 2)
    assert done["people_without_face"] == ["Empty", "Nobody"]
    assert done["left_out"] == {
        "hidden": 2,
        "outside_of_folders": 1,
        "not_a_photo": 1,
        "folder_in_folder": 1,
        "unreadable_name": 1,
        "unreadable_folder": 0,
    }
    for name in ("Empty", "Nobody", os.fsdecode(b"Jos\xe9"), "Grace_Hopper/old"):
        shutil.rmtree(people / name)
    for name in ("loose.jpg", "Eileen_Collins/2.png", "Grace_Hopper/2.jpg"):
        (people / name).unlink()
    assert RUN.invoke(cli, ["enroll-folder", str(people)]).exit_code == 0


def test_photos_of_a_folder_wait_their_turns_however_short_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_THREADS", "1")
    monkeypatch.setenv("VULTUS_LIMITS__MAX_WAITING", "1")
    image = photos.hopper().resize((256, 300))
    for person in ("Ada", "Bea", "Cid"):
        (tmp_path / "people" / person).mkdir(parents=True)
        for quality in (80, 85, 90):
            photo = tmp_path / "people" / person / f"{quality}.jpg"
            photo.write_bytes(photos.encoded(image, quality=quality))
    done = _json("enroll-folder", tmp_path / "people", "--force")
    assert (done["people"], done["rejected"]) == (3, [])


def test_what_cannot_be_read_is_listed_and_the_rest_is_enrolled(people: Path) -> None:
    (people / "Eileen_Collins" / "0.jpg").symlink_to(people / "nowhere.jpg")
    (people / "Grace_Hopper" / "0.jpg").mkdir()
    (people / ".hidden").mkdir()
    done = _json("enroll-folder", people)
    assert (done["people"], done["faces"]) == (2, 2)
    unreadable = {"photo": "Eileen_Collins/0.jpg", "reasons": ["image_unreadable"]}
    rejected = done["rejected"]
    assert isinstance(rejected, list)
    assert unreadable in rejected
    assert not any(".hidden" in entry["photo"] for entry in rejected)


def test_summary_for_people_names_every_rejected_photo(people: Path) -> None:
    result = RUN.invoke(cli, ["enroll-folder", str(people)])
    assert result.exit_code == 3
    assert "Grace_Hopper/2.jpg: several_faces" in result.stdout
    assert "--faces largest" in result.stdout
    assert "rejected: no_face" in result.stdout
    assert "nobody enrolled: Nobody" in result.stdout
    assert "left out: not_a_photo" in result.stdout


def test_everything_held_of_a_person_is_written_by_id_and_by_photo(
    people: Path, tmp_path: Path
) -> None:
    _json("enroll-folder", people, "--consent", "access", "--consent-until", "2101-01-01")
    photo, file = tmp_path / "photo.jpg", tmp_path / "person.json"
    photo.write_bytes(photos.encoded(photos.another_photo(photos.hopper())))
    for asked in (["--id", "ext:Grace_Hopper"], ["--photo", str(photo)]):
        done = RUN.invoke(cli, ["export-person", str(file), *asked])
        assert done.exit_code == 0, done.output
        document = PersonDocument.model_validate_json(file.read_text(encoding="utf-8"))
        (grace,) = document.people
        assert (grace.identity.name, len(grace.faces)) == ("Grace Hopper", 1)
        assert [consent.purpose for consent in grace.consents] == ["access"]
        actions = [line.action for line in grace.audit or ()]
        assert "identity.created" in actions
        assert file.stat().st_mode & 0o777 == 0o600
    assert actions[0] == "person.exported"  # by id, before
    assert RUN.invoke(cli, ["export-person", str(file)]).exit_code == 2


def test_enrolled_people_are_identified(people: Path, tmp_path: Path) -> None:
    _json("enroll-folder", people)
    photo = tmp_path / "group.jpg"
    photo.write_bytes(photos.encoded(photos.group()))
    faces = _json("identify", photo)["faces"]
    assert isinstance(faces, list)
    assert [(face["status"], face["identity"]["name"]) for face in faces] == [
        ("match", "Grace Hopper"),
        ("match", "Eileen Collins"),
    ]
    shown = RUN.invoke(cli, ["identify", str(photo)])
    assert "match" in shown.stdout


def test_identify_without_keep_unknown_leaves_the_inbox_as_it_is(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(photos.encoded(photos.astronaut()))
    _json("collections", "create", "staff")
    with open_database(upgrade=False) as (_, database), Store(database).locking("staff") as staff:
        changes = CollectionChanges(options={"unknowns": {"keep": True}})
        staff.collections.update(staff.collection, changes)

    def group(*options: str) -> object:
        faces = _json("identify", photo, "--collection", "staff", *options)["faces"]
        assert isinstance(faces, list)
        (face,) = faces
        assert face["status"] == "unknown"
        return face["unknown_group_id"]

    assert group("--no-keep-unknown") is None
    assert group() is not None


def test_the_exit_status_of_verify_is_the_verdict(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"{name}.jpg" for name in "abc")
    a.write_bytes(photos.encoded(photos.astronaut()))
    b.write_bytes(photos.encoded(photos.another_photo(photos.astronaut())))
    c.write_bytes(photos.encoded(photos.hopper()))
    same = RUN.invoke(cli, ["verify", str(a), str(b)])
    assert (same.exit_code, same.stdout.split()[0]) == (0, "match")
    different = RUN.invoke(cli, ["verify", str(a), str(c)])
    assert (different.exit_code, different.stdout.split()[0]) == (3, "no")


def test_json_is_what_the_api_answers(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(photos.encoded(photos.hopper()))
    answers: list[tuple[tuple[str | Path, ...], type[Answer]]] = [
        (("identify", photo), IdentifyAnswer),
        (("verify", photo, photo), VerifyAnswer),
        (("collections", "list"), CollectionPage),
        (("models", "list"), ModelsAnswer),
    ]
    for words, schema in answers:
        assert set(_json(*words)) == set(schema.model_fields), words


def test_database_is_migrated_twice_without_harm() -> None:
    for _ in range(2):
        assert RUN.invoke(cli, ["db", "upgrade"]).exit_code == 0


@pytest.mark.parametrize(
    ("variables", "arguments", "code", "remedy"),
    [
        (
            {},
            ["identify", "PHOTO", "--collection", "nowhere"],
            "collection_not_found",
            "vultus collections list",
        ),
        ({"VULTUS_PORT": "x"}, ["serve"], "startup_failed", "VULTUS_PORT"),
        ({"VULTUS_EMBEDDER": "x"}, ["serve"], "startup_failed", "dlib-resnet"),
        ({"VULTUS_DATABASE_URL": "mysql://x"}, ["serve"], "startup_failed", "PostgreSQL"),
        ({"VULTUS_DATABASE_URL": "postgresql://h:port/db"}, ["serve"], "startup_failed", "5432"),
        ({"VULTUS_DATABASE": "sqlite:///x"}, ["serve"], "startup_failed", "VULTUS_DATABASE__"),
        ({"VULTUS_DATA_DIR": "/dev/null/x"}, ["serve"], "startup_failed", "VULTUS_DATA_DIR"),
        ({"VULTUS_DATABASE__AUTO_UPGRADE": "0"}, ["serve"], "startup_failed", "vultus db upgrade"),
    ],
)
def test_what_goes_wrong_is_one_line_with_a_remedy(
    variables: dict[str, str],
    arguments: list[str],
    code: str,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(photos.encoded(photos.coffee()))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    filled = [str(photo) if argument == "PHOTO" else argument for argument in arguments]
    monkeypatch.setattr("sys.argv", ["vultus", *filled])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    line = next(line for line in printed.splitlines() if line.startswith(code))
    assert remedy in line
    assert "Traceback" not in printed
