"""Which photos show whom, read from folders and CSV files; what is wrong is said with its line."""

from pathlib import Path

import pytest

from app.datasets.photo_listing import ListedPair, read_listing
from app.datasets.photo_source import PhotoSource, SubjectRule
from app.errors import InvalidRequest


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    for name in ("Ada/1.jpg", "Ada/2.PNG", "Ada/notes.txt", "Bob/1.jpg", ".hidden/1.jpg"):
        _write(folder / name, "")
    return folder


def test_a_folder_holds_one_folder_a_person(people: Path) -> None:
    listing = read_listing(PhotoSource(people))
    assert [(p.name, p.person) for p in listing.photos] == [
        ("Ada/1.jpg", "Ada"),
        ("Ada/2.PNG", "Ada"),
        ("Bob/1.jpg", "Bob"),
    ]
    assert listing.pairs is None
    assert listing.subject is SubjectRule.SINGLE


def test_lfw_has_images_and_pairs_and_its_people_are_central(tmp_path: Path, people: Path) -> None:
    root = tmp_path / "lfw"
    root.mkdir()
    people.rename(root / "images")
    _write(root / "pairs.csv", "fold,same,left,right\n2,1,Ada/1.jpg,Ada/2.PNG\n")
    listing = read_listing(PhotoSource(root))
    assert len(listing.photos) == 3
    assert listing.pairs == (ListedPair("Ada/1.jpg", "Ada/2.PNG", same=True, fold=2),)
    assert listing.subject is SubjectRule.CENTRAL
    assert [p.name for p in listing.only_paired().photos] == ["Ada/1.jpg", "Ada/2.PNG"]


def test_a_csv_lists_photos_people_and_groups(people: Path) -> None:
    """With the byte order mark and the line ends that a spreadsheet writes."""
    source = people / "photos.csv"
    text = "photo,person,group\r\nAda/1.jpg,ada,g1\r\nBob/1.jpg,bob,\r\nAda/2.PNG,ada,g1\r\n"
    source.write_bytes(b"\xef\xbb\xbf" + text.encode())
    listing = read_listing(PhotoSource(source))
    assert {p.name: (p.person, p.path) for p in listing.photos} == {
        "Ada/1.jpg": ("ada", people / "Ada/1.jpg"),
        "Ada/2.PNG": ("ada", people / "Ada/2.PNG"),
        "Bob/1.jpg": ("bob", people / "Bob/1.jpg"),
    }
    assert listing.groups == {"ada": "g1"}


def test_groups_and_pairs_come_from_files_of_their_own(tmp_path: Path, people: Path) -> None:
    groups = _write(tmp_path / "groups.csv", "person,group\nAda,women\nBob,men\n")
    pairs = _write(tmp_path / "pairs.csv", "left,right,same\nAda/1.jpg,Bob/1.jpg,no\n")
    listing = read_listing(PhotoSource(people, pairs=pairs, groups=groups))
    assert listing.groups == {"Ada": "women", "Bob": "men"}
    assert listing.pairs == (ListedPair("Ada/1.jpg", "Bob/1.jpg", same=False, fold=None),)


def test_people_of_pairs_alone_are_those_who_are_the_same(tmp_path: Path) -> None:
    for name in "abcde":
        _write(tmp_path / f"{name}.jpg", "")
    rows = "b.jpg,c.jpg,1\na.jpg,b.jpg,1\nd.jpg,e.jpg,true\na.jpg,d.jpg,0\n"
    listing = read_listing(PhotoSource(_write(tmp_path / "pairs.csv", f"left,right,same\n{rows}")))
    people = [p.person for p in listing.photos]
    assert people[0] == people[1] == people[2] != people[3] == people[4]
    assert not listing.people_known
    assert len(listing.pairs or ()) == 4


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("photo,name\n", "it names photo, name"),
        ("", "it names none"),
        ("photo,person\n", "has no photos"),
        ("photo,person\nAda/1.jpg,ada\nAda/9.jpg,ada\n", "line 3: there is no file"),
        ("photo,person\nAda/1.jpg,\n", "line 2: person is empty"),
        ("photo,person\nAda/1.jpg,a,b,c\n", "line 2: too many columns"),
        ("photo,person\nAda/1.jpg,a\nAda/1.jpg,b\n", "line 3: Ada/1.jpg is listed twice"),
        ("photo,person,group\nAda/1.jpg,a,x\nAda/2.PNG,a,y\n", "line 3: a is in x and in y"),
        ("left,right,same\nAda/1.jpg,Bob/1.jpg,2\n", "line 2: same is '2'; write 1 or 0"),
        ("left,right,same,fold\nAda/1.jpg,Bob/1.jpg,1,x\n", "line 2: fold is 'x'"),
        ("left,right,same\nAda/1.jpg,Ada/1.jpg,1\n", "line 2: Ada/1.jpg is paired with itself"),
        (
            "left,right,same\nAda/1.jpg,Ada/2.PNG,1\nAda/2.PNG,Ada/1.jpg,0\n",
            "line 3: same is 0, but Ada/2.PNG shows Ada/1.jpg",
        ),
        (
            "left,right,same,fold\nAda/1.jpg,Ada/2.PNG,1,1\nAda/1.jpg,Bob/1.jpg,0,\n",
            "some pairs have a fold and some have none",
        ),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(people: Path, text: str, fact: str) -> None:
    with pytest.raises(InvalidRequest, match=fact):
        read_listing(PhotoSource(_write(people / "list.csv", text)))


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("Ada/1.jpg,Ada/7.jpg,1", "line 2: Ada/7.jpg is not among the photos"),
        ("Ada/1.jpg,Bob/1.jpg,1", "line 2: same is 1, but Ada/1.jpg shows Ada"),
    ],
)
def test_pairs_must_agree_with_the_people(people: Path, row: str, fact: str) -> None:
    pairs = _write(people / "pairs.csv", f"left,right,same\n{row}\n")
    with pytest.raises(InvalidRequest, match=fact):
        read_listing(PhotoSource(people, pairs=pairs))


def test_what_is_no_text_is_said_to_be_none(people: Path) -> None:
    source = people / "list.csv"
    source.write_bytes(b"photo,person\n\xff\xfe,a\n")
    with pytest.raises(InvalidRequest, match="cannot be read as CSV in UTF-8"):
        read_listing(PhotoSource(source))
