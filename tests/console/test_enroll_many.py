"""Enroll many: folders and lists of people, in a real browser, to the real service."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import another_photo, astronaut, coffee, encoded, group, hopper

_HEIC = Path(__file__).parents[1] / "recognition" / "decode" / "portrait.heic"
"""A small picture without a face."""
_SAME_PEOPLE = 58
"""People of the large folder whose photos show somebody who is in it already."""


def _write(folder: Path, **people: list[Image.Image]) -> Path:
    for name, photos in people.items():
        (folder / name).mkdir(parents=True)
        for number, photo in enumerate(photos):
            (folder / name / f"{number}.jpg").write_bytes(encoded(photo))
    return folder


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty people: two, and one of them again under other names."""
    folder = _write(
        tmp_path_factory.mktemp("many") / "people",
        a_eileen=[astronaut(), another_photo(astronaut())],
        a_grace=[hopper()],
        **{f"same_{n:02}": [another_photo(hopper())] for n in range(_SAME_PEOPLE)},
    )
    (folder / "a_grace" / "notes.txt").write_text("not a photo")
    (folder / "outside.jpg").write_bytes(encoded(coffee()))
    return folder


def _posts(watched: WatchedPages) -> int:
    return sum(request.startswith("POST ") for request in watched.requests)


def _choose(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)


def _drop(page: Page, *paths: Path) -> None:
    """Drop files and folders as the system's file manager does."""
    place = page.locator(".drop").bounding_box()
    assert place is not None
    session = page.context.new_cdp_session(page)
    at = {"x": place["x"] + 20, "y": place["y"] + 20}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def test_a_dropped_folder_is_shown_before_anything_is_sent(
    page: Page, server: ConsoleServer, collection: str, large_folder: Path, watched: WatchedPages
) -> None:
    page.goto(server.at("enroll_many", collection=collection))
    _drop(page, large_folder)
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("60 people · 61 photos")
    expect(preview).to_contain_text("1 no image · 1 outside of a person's folder")
    expect(preview).to_contain_text("59 people with one photo")
    expect(page.get_by_role("row", name="a eileen")).to_contain_text("2")
    assert _posts(watched) == 0


def test_nothing_is_lost_in_a_storm_and_nothing_doubles(
    page: Page, server: ConsoleServer, collection: str, large_folder: Path, watched: WatchedPages
) -> None:
    def counts() -> tuple[int, int]:
        found = server.client.get(f"/v1/collections/{collection}").json()
        return found["identity_count"], found["face_count"]

    storm = iter(range(3))

    def be_busy(route: Route) -> None:
        if next(storm, None) is None:
            route.fallback()
        else:
            route.fulfill(status=503, headers={"retry-after": "1"}, json={})

    page.route("**/identities", be_busy)
    page.goto(server.at("enroll_many", collection=collection))
    _choose(page, large_folder)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The service is busy")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("is being sent")).to_have_count(0)
    sent = _posts(watched)
    assert counts() == (0, 0)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert _posts(watched) > sent
    expect(page.get_by_text("60 of 60 people", exact=True)).to_be_visible()
    look_alike = f"2 enrolled · {_SAME_PEOPLE} look like somebody"
    expect(page.get_by_text(look_alike)).to_be_visible()
    expect(page.get_by_text("looks like a grace")).to_have_count(_SAME_PEOPLE)
    assert counts() == (2, 3)

    page.reload()
    _choose(page, large_folder)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_text("was enrolled before")).to_have_count(2)
    assert counts() == (2, 3)


@pytest.fixture
def refused_folder(tmp_path: Path) -> Path:
    folder = _write(tmp_path / "people", cup=[coffee()], two=[group()], good=[astronaut()], text=[])
    (folder / "text" / "letter.jpg").write_text("Dear Sir or Madam")
    (folder / "large").mkdir()
    Image.new("L", (8_000, 5_000), 128).save(folder / "large" / "wall.jpg")  # 40 megapixels
    (folder / "phone").mkdir()
    shutil.copy(_HEIC, folder / "phone" / "IMG_1.HEIC")
    return folder


def test_refused_photos_say_the_services_own_reason_and_are_saved(
    page: Page, server: ConsoleServer, collection: str, refused_folder: Path
) -> None:
    page.goto(server.at("enroll_many", collection=collection))
    _choose(page, refused_folder)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    for person, words in (
        ("cup", "1 photo refused: no face"),
        ("two", "1 photo refused: several faces"),
        ("text", "1 photo refused: no readable image"),
        ("large", "1 photo refused: too little contrast"),
        ("phone", "1 photo refused: no face"),
        ("good", "enrolled, 1 new face"),
    ):
        expect(page.get_by_role("row", name=person)).to_contain_text(words)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Refused as CSV").click()
    text = downloading.value.path().read_text(encoding="utf-8-sig")
    rows = {row["external_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {name: row["reasons"] for name, row in rows.items()} == {
        "cup": "no_face",
        "large": "low_contrast",
        "phone": "no_face",
        "two": "several_faces",
        "text": "image_unreadable",
    }
    assert rows["two"]["file"] == "people/two/0.jpg"

    page.get_by_role("button", name="Try 1 person again with the largest face").click()
    expect(page.get_by_role("row", name="two")).to_contain_text("enrolled, 1 new face")


def test_a_list_names_people_and_their_attributes(
    page: Page, server: ConsoleServer, collection: str, tmp_path: Path
) -> None:
    (tmp_path / "1042.jpg").write_bytes(encoded(astronaut()))
    (tmp_path / "staff.csv").write_text(
        "file;name;external_id;site\n"
        '1042.jpg;"Collins; Eileen";emp-1042;berlin\n'
        "gone.jpg;Grace Hopper;emp-0007;oslo\n"
    )
    page.goto(server.at("enroll_many", collection=collection))
    files = [tmp_path / "1042.jpg", tmp_path / "staff.csv"]
    page.get_by_label("Choose files").set_input_files(files)
    expect(page.get_by_text("1 file of the list missing")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("row", name="Collins; Eileen")).to_contain_text("enrolled")
    people = server.client.get(f"/v1/collections/{collection}/identities").json()["identities"]
    (person,) = people
    assert person["external_id"] == "emp-1042"
    assert person["attributes"] == {"site": "berlin"}


@pytest.fixture
def resembling(page: Page, server: ConsoleServer, collection: str, tmp_path: Path) -> Page:
    """A page on which somebody looks like Grace Hopper, who is enrolled, with the comparison."""
    server.enroll(collection, hopper(), name="Grace Hopper")
    page.goto(server.at("enroll_many", collection=collection))
    _choose(page, _write(tmp_path / "people", g_hopper=[another_photo(hopper())]))
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog")).to_contain_text("Looks like Grace Hopper")
    return page


@pytest.mark.parametrize(
    ("choice", "row", "people", "faces"),
    [
        ("Add to Grace Hopper", "enrolled, 1 new face", 1, 2),
        ("Somebody else", "enrolled, 1 new face", 2, 2),
        ("Leave out", "not enrolled", 1, 1),
    ],
)
def test_somebody_who_looks_like_an_enrolled_person_waits_for_a_decision(
    resembling: Page,
    server: ConsoleServer,
    collection: str,
    choice: str,
    row: str,
    people: int,
    faces: int,
) -> None:
    resembling.get_by_role("button", name=choice).click()
    expect(resembling.get_by_role("row", name="g hopper")).to_contain_text(row)
    found = server.client.get(f"/v1/collections/{collection}").json()
    assert (found["identity_count"], found["face_count"]) == (people, faces)
