"""Whose folder it is, and which photos of it count."""

import os
from pathlib import Path

import pytest

from app.cli.moving.folder_source import open_folder
from app.cli.moving.layouts import Layout
from app.cli.moving.source import PhotoNotGivenError
from app.errors import InvalidRequest
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.face_rules import QualityFilter

DOUBLE_TAKE = (
    ".storage/train/ada/1.jpg",
    ".storage/matches/ada/seen.jpg",
    ".storage/config/config.yml",
)
FRIGATE = (
    "clips/faces/ada/ada_1739.1.webp",
    "clips/faces/train/1739.1-ab-1739.2-bob-0.8.webp",
    "clips/door.jpg",
)
PLAIN = ("ada/1.jpg", "train/1.jpg", "notes.txt")


def made(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))
    return folder


@pytest.mark.parametrize(
    ("files", "inside", "layout", "people"),
    [
        (DOUBLE_TAKE, "", Layout.DOUBLE_TAKE, {"ada": ["ada/1.jpg"]}),
        (DOUBLE_TAKE, ".storage", Layout.DOUBLE_TAKE, {"ada": ["ada/1.jpg"]}),
        (DOUBLE_TAKE, ".storage/train", Layout.PLAIN, {"ada": ["ada/1.jpg"]}),
        (FRIGATE, "", Layout.FRIGATE, {"ada": ["ada/ada_1739.1.webp"]}),
        (FRIGATE, "clips", Layout.FRIGATE, {"ada": ["ada/ada_1739.1.webp"]}),
        (FRIGATE, "clips/faces", Layout.FRIGATE, {"ada": ["ada/ada_1739.1.webp"]}),
        (PLAIN, "", Layout.PLAIN, {"ada": ["ada/1.jpg"], "train": ["train/1.jpg"]}),
    ],
)
def test_layouts_are_recognised(
    tmp_path: Path,
    files: tuple[str, ...],
    inside: str,
    layout: Layout,
    people: dict[str, list[str]],
) -> None:
    made(tmp_path, *files)
    source = open_folder(tmp_path / inside, Layout.AUTO)
    assert source.layout is layout
    assert {name: [p.label for p in own] for name, own in source.people.items()} == people
    photo = source.people["ada"][0]
    assert photo.read().decode().endswith(photo.label)


def test_a_layout_that_is_named_wins(tmp_path: Path) -> None:
    made(tmp_path, "ada/1.webp", "train/2.jpg")
    assert set(open_folder(tmp_path, Layout.AUTO).people) == {"ada", "train"}
    assert set(open_folder(tmp_path, Layout.FRIGATE).people) == {"ada"}
    made(tmp_path, "train/bob/3.jpg")
    assert set(open_folder(tmp_path, Layout.DOUBLE_TAKE).people) == {"bob"}


def test_photos_of_frigate_are_crops(tmp_path: Path) -> None:
    asked = EnrollOptions(quality_filter=QualityFilter.LOW)
    crops = open_folder(made(tmp_path / "f", *FRIGATE), Layout.AUTO).options(asked)
    assert (crops.detection.is_crop, crops.quality_filter) == (True, QualityFilter.LOW)
    assert open_folder(made(tmp_path / "d", *DOUBLE_TAKE), Layout.AUTO).options(asked) is asked


def test_a_folder_without_people_is_refused_and_a_photo_that_is_gone_left_alone(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidRequest, match="one folder a person"):
        open_folder(made(tmp_path, "loose.jpg"), Layout.AUTO)
    source = open_folder(made(tmp_path, "ada/1.jpg"), Layout.AUTO)
    (tmp_path / "ada" / "1.jpg").unlink()
    with pytest.raises(PhotoNotGivenError) as gone:
        source.people["ada"][0].read()
    assert gone.value.reason == "unreadable_file"


def test_labels_are_as_short_as_they_must_be_and_valid(tmp_path: Path) -> None:
    long = "d" * 200 + "/" + "f" * 200 + ".jpg"
    made(tmp_path, long, "ada/" + os.fsdecode(b"Jos\xe9.jpg"))
    people = open_folder(tmp_path, Layout.AUTO).people
    ((ended,), (escaped,)) = people["d" * 200], people["ada"]
    assert (len(ended.label), ended.label) == (256, long[-256:])
    assert escaped.label == "ada/Jos\\xe9.jpg"
    assert escaped.read().startswith(b"ada/")
