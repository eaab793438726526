"""Read which photos show whom: from a folder of people, an LFW-like folder, or CSV files.

A CSV file has a header. `photo,person[,group]` lists photos, `left,right,same[,fold]` lists pairs,
`person,group` lists groups. Photos are named relative to the folder of people, or to the CSV file
that lists them.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.datasets.photo_source import PhotoSource, SubjectRule
from app.errors import InvalidRequest

PHOTO_SUFFIXES = frozenset(
    ".jpg .jpeg .png .webp .bmp .tif .tiff .gif .avif .heic .heif .jp2 .j2k".split()  # noqa: SIM905
)

_PAIR_COLUMNS = ("left", "right", "same")
_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    name: str
    path: Path
    person: str


@dataclass(frozen=True, slots=True)
class ListedPair:
    """`left` and `right` are names of photos."""

    left: str
    right: str
    same: bool
    fold: int | None


@dataclass(frozen=True, slots=True)
class PhotoListing:
    """Photos in the order of their names; pairs, if they are listed; the group of each person.

    `people_known` is false where only pairs are listed: two photos of different pairs may show one
    person. `subject` is the rule for photos of several faces: LFW's photos show a person at their
    centre, and others beside.
    """

    photos: tuple[ListedPhoto, ...]
    pairs: tuple[ListedPair, ...] | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    people_known: bool = True
    subject: SubjectRule = SubjectRule.SINGLE

    def only_paired(self) -> "PhotoListing":
        """Return the listing without photos that are in no pair."""
        named = {name for pair in self.pairs or () for name in (pair.left, pair.right)}
        return replace(self, photos=tuple(p for p in self.photos if p.name in named))


def read_listing(source: PhotoSource) -> PhotoListing:
    """Read a folder or a CSV file. Raises InvalidRequest, which names the line that is wrong."""
    path, pairs = source.path, source.pairs
    if path.is_dir():
        listing, default_pairs = _folder(path)
        pairs = pairs or default_pairs
    else:
        listing = _csv(path)
    if not listing.photos:
        raise InvalidRequest(f"{path} has no photos; make one folder a person, or list them")
    if pairs is not None and listing.people_known:
        listing = replace(listing, pairs=_pairs(pairs, listing))
    if source.groups is not None:
        listing = replace(listing, groups=_groups(source.groups))
    return replace(listing, subject=source.faces or listing.subject)


def photos_below(folder: Path) -> Iterator[Path]:
    """Yield the photos in a folder and in all folders in it, also hidden ones, sorted by path."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
            yield path


def _folder(source: Path) -> tuple[PhotoListing, Path | None]:
    images, pairs = source / "images", source / "pairs.csv"
    like_lfw = images.is_dir() and pairs.is_file()
    root, subject = (images, SubjectRule.CENTRAL) if like_lfw else (source, SubjectRule.SINGLE)
    photos = [
        ListedPhoto(path.relative_to(root).as_posix(), path, person.name)
        for person in root.iterdir()
        if person.is_dir() and not person.name.startswith(".")
        for path in person.iterdir()
        if path.suffix.lower() in PHOTO_SUFFIXES
    ]
    return PhotoListing(_in_order(photos), subject=subject), pairs if like_lfw else None


def _csv(source: Path) -> PhotoListing:
    with _reader(source) as reader:
        columns = reader.fieldnames or ()
    if {"photo", "person"} <= set(columns):
        return _labelled(source)
    if {"left", "right", "same"} <= set(columns):
        return _pairs_alone(source)
    raise InvalidRequest(
        f"{source}: the first line must name the columns: photo,person[,group] or "
        f"left,right,same[,fold]; it names {', '.join(columns) or 'none'}"
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a CSV file."""

    source: Path
    number: int
    values: Mapping[str, str]

    def error(self, fact: str) -> InvalidRequest:
        return InvalidRequest(f"{self.source} line {self.number}: {fact}")

    def existing(self, photo: str) -> Path:
        path = self.source.parent / photo
        if not path.is_file():
            raise self.error(f"there is no file {path}")
        return path

    def pair(self) -> ListedPair:
        left, right, same = (self.values[name] for name in ("left", "right", "same"))
        fold = self.values.get("fold") or None
        if same.lower() not in _TRUTH:
            raise self.error(f"same is {same!r}; write 1 or 0")
        if fold is not None and not fold.isdecimal():
            raise self.error(f"fold is {fold!r}; write a whole number")
        if left == right:
            raise self.error(f"{left} is paired with itself")
        return ListedPair(left, right, _TRUTH[same.lower()], None if fold is None else int(fold))

    def set_group(self, groups: dict[str, str]) -> None:
        person, group = self.values["person"], self.values["group"]
        if groups.setdefault(person, group) != group:
            raise self.error(f"{person} is in {groups[person]} and in {group}")


def _labelled(source: Path) -> PhotoListing:
    photos: dict[str, ListedPhoto] = {}
    groups: dict[str, str] = {}
    for line in _lines(source, ("photo", "person")):
        name = line.values["photo"]
        if name in photos:
            raise line.error(f"{name} is listed twice")
        photos[name] = ListedPhoto(name, line.existing(name), line.values["person"])
        if line.values.get("group"):
            line.set_group(groups)
    return PhotoListing(_in_order(photos.values()), groups=groups)


def _pairs_alone(source: Path) -> PhotoListing:
    """Read pairs whose people have no names. Photos that pairs join are of one person."""
    pairs = [(line, line.pair()) for line in _lines(source, _PAIR_COLUMNS)]
    paths = {name: line.existing(name) for line, pair in pairs for name in (pair.left, pair.right)}
    leader = {name: name for name in paths}

    def person(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for _, pair in pairs:
        if pair.same:
            first, second = sorted((person(pair.left), person(pair.right)))
            leader[second] = first
    photos = [ListedPhoto(name, path, person(name)) for name, path in paths.items()]
    listing = PhotoListing(_in_order(photos), people_known=False)
    return replace(listing, pairs=_pairs(source, listing))


def _pairs(source: Path, listing: PhotoListing) -> tuple[ListedPair, ...]:
    people = {photo.name: photo.person for photo in listing.photos}
    found = []
    for line in _lines(source, _PAIR_COLUMNS):
        pair = line.pair()
        for name in (pair.left, pair.right):
            if name not in people:
                raise line.error(f"{name} is not among the photos")
        left, right = people[pair.left], people[pair.right]
        if pair.same != (left == right):
            raise line.error(
                f"same is {int(pair.same)}, but {pair.left} shows {left} and {pair.right} shows "
                f"{right}"
            )
        found.append(pair)
    if not found:
        raise InvalidRequest(f"{source} lists no pairs")
    if len({pair.fold is None for pair in found}) > 1:
        raise InvalidRequest(f"{source}: some pairs have a fold and some have none")
    return tuple(found)


def _groups(source: Path) -> dict[str, str]:
    groups: dict[str, str] = {}
    for line in _lines(source, ("person", "group")):
        line.set_group(groups)
    return groups


def _lines(source: Path, columns: Sequence[str]) -> Iterator[_Line]:
    """Yield the lines, in which these columns are not empty."""
    with _reader(source) as reader:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise InvalidRequest(f"{source}: there is no column {', '.join(missing)}")
        for row in reader:
            line = _Line(source, reader.line_num, row)
            empty = [name for name in columns if not row[name].strip()]
            if empty:
                raise line.error(f"{', '.join(empty)} is empty")
            if None in row:
                raise line.error("too many columns")
            yield replace(line, values={name: value.strip() for name, value in row.items()})


@contextmanager
def _reader(source: Path) -> Iterator["csv.DictReader[str]"]:
    """Open a CSV file. A byte order mark, as of spreadsheets, is skipped."""
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            yield csv.DictReader(file, restval="")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(f"{source} cannot be read as CSV in UTF-8: {error}") from error


def _in_order(photos: Iterable[ListedPhoto]) -> tuple[ListedPhoto, ...]:
    return tuple(sorted(photos, key=lambda photo: photo.name))
