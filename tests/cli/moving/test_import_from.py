"""Imports from other programs, with real photos and a real database."""

import json
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.moving.compreface_requests import CompreFaceRequests
from app.cli.open_database import open_database
from app.cli.remedies import TERMINAL
from app.errors import OtherServiceRefused, OtherServiceUnavailable
from app.gallery.store.tables import FaceTable, IdentityTable
from tests.cli.moving.fake_compreface import KEY, FakeCompreFace, serving
from tests.kit import photos

RUN = CliRunner()


def run(*arguments: str, status: int) -> dict[str, object]:
    result = RUN.invoke(cli, ["import-from", *arguments, "--json"])
    assert result.exit_code == status, result.output
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def enrolled() -> dict[str, tuple[str, list[str | None]]]:
    """The name, and the labels of the photos, of each person by external_id."""
    with open_database(upgrade=False) as (_, database), database.reading() as session:
        people = session.query(IdentityTable).order_by(IdentityTable.number).all()
        return {
            person.external_id or "": (
                person.name or "",
                [
                    face.image_label
                    for face in session.query(FaceTable)
                    .filter_by(identity_number=person.number)
                    .order_by(FaceTable.number)
                ],
            )
            for person in people
        }


def test_subjects_of_compreface_come_over_and_an_import_is_resumed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPREFACE_API_KEY", KEY)
    at_once = partial(CompreFaceRequests, wait=lambda _: None)
    monkeypatch.setattr("app.cli.moving.import_from.CompreFaceRequests", at_once)
    astronaut, hopper = photos.astronaut(), photos.hopper()
    fake = FakeCompreFace(
        {
            "Eileen Collins": {
                "e1": photos.encoded(astronaut),
                "e2": photos.encoded(photos.coffee()),
                "e3": b"",
                "e4": photos.encoded(photos.another_photo(astronaut)),
            },
            "grace_hopper": {"g1": photos.encoded(hopper)},
            "Nobody": {},
            "x" * 257: {"x1": photos.encoded(hopper)},
        }
    )
    with serving(fake):
        first = run("compreface", "--url", fake.url, status=3)
        assert (first["people"], first["photos"], first["new_people"]) == (4, 6, 3)
        assert (first["faces"], first["known_before"]) == (3, 0)
        left = first["not_imported"]
        assert isinstance(left, list)
        assert [(one["photo"], one["reasons"]) for one in left] == [
            ("compreface:e2", ["no_face"]),
            ("compreface:e3", ["not_saved"]),
            ("compreface:x1", ["unusable_name"]),
        ]
        assert first["people_without_face"] == ["Nobody", "x" * 257]
        assert enrolled() == {
            "Eileen Collins": ("Eileen Collins", ["compreface:e1", "compreface:e4"]),
            "grace_hopper": ("grace_hopper", ["compreface:g1"]),
            "Nobody": ("Nobody", []),
        }

        fake.photos["grace_hopper"]["g2"] = photos.encoded(photos.another_photo(hopper))
        fake.asked.clear()
        fake.failures = [503] * 40  # it goes away in the middle
        stopped = RUN.invoke(cli, ["import-from", "compreface", "--url", fake.url])
        assert isinstance(stopped.exception, OtherServiceUnavailable)
        fake.failures = []
        again = run("compreface", "--url", fake.url, status=3)
        assert (again["new_people"], again["faces"], again["known_before"]) == (0, 1, 3)
        loaded = {path for path in fake.asked if path.endswith("/img")}
        assert not any(
            f"/{image_id}/" in path for path in loaded for image_id in ("e1", "e4", "g1")
        )
    assert enrolled()["grace_hopper"][1] == ["compreface:g1", "compreface:g2"]


def test_crops_of_frigate_come_over_and_are_known_the_next_time(tmp_path: Path) -> None:
    media = tmp_path / "media"
    astronaut, hopper = photos.astronaut(), photos.hopper()
    for name, image in {
        "eileen/eileen_1739.1.webp": crop(astronaut, (180, 61, 268, 172)),
        "train/1739.1-ab-1739.2-unknown-0.4.webp": crop(hopper, (0, 0, 200, 200)),
    }.items():
        path = media / "clips" / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photos.encoded(image, "WEBP", quality=95))
    first = run("folder", str(media), status=0)
    assert (first["layout"], first["people"], first["faces"]) == ("frigate", 1, 1)
    assert enrolled() == {"eileen": ("eileen", ["eileen/eileen_1739.1.webp"])}
    again = run("folder", str(media), status=0)
    assert (again["faces"], again["known_before"]) == (0, 1)


def crop(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    return image.crop(box).resize((176, 222))


def test_a_wrong_key_ends_the_import_with_what_to_do() -> None:
    with serving(FakeCompreFace({})) as fake:
        arguments = ["import-from", "compreface", "--url", fake.url, "--key", "wrong"]
        result = RUN.invoke(cli, arguments)
    assert isinstance(result.exception, OtherServiceRefused)
    assert "--key" in TERMINAL.detail(result.exception)
