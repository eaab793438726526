"""Read a folder that has one folder for each person, and count what is not read."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.datasets.photo_listing import PHOTO_SUFFIXES


class LeftOut(StrEnum):
    """The reason why an entry of the folder is not read."""

    HIDDEN = "hidden"
    OUTSIDE_OF_FOLDERS = "outside_of_folders"
    NOT_A_PHOTO = "not_a_photo"
    FOLDER_IN_FOLDER = "folder_in_folder"
    UNREADABLE_NAME = "unreadable_name"
    UNREADABLE_FOLDER = "unreadable_folder"

    @property
    def may_be_a_photo(self) -> bool:
        """Return whether the user may have meant it to be enrolled."""
        return self not in (LeftOut.HIDDEN, LeftOut.NOT_A_PHOTO)


@dataclass(slots=True)
class FolderOfPeople:
    """The photos of each person, by the path of their folder, and counts of other entries."""

    photos: dict[Path, list[Path]] = field(default_factory=dict)
    left_out: Counter[LeftOut] = field(default_factory=Counter)


def read_folder(folder: Path) -> FolderOfPeople:
    """Read a folder, and each folder in it. Raises OSError when it cannot be read itself."""
    found = FolderOfPeople()
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            found.left_out[LeftOut.HIDDEN] += 1
        elif not entry.is_dir():
            is_photo = entry.suffix.lower() in PHOTO_SUFFIXES
            found.left_out[LeftOut.OUTSIDE_OF_FOLDERS if is_photo else LeftOut.NOT_A_PHOTO] += 1
        elif not _is_unicode(entry.name):
            found.left_out[LeftOut.UNREADABLE_NAME] += 1
        else:
            _read_person(entry, found)
    return found


def _read_person(person: Path, found: FolderOfPeople) -> None:
    try:
        entries = sorted(person.iterdir())
    except OSError:
        found.left_out[LeftOut.UNREADABLE_FOLDER] += 1
        return
    photos = found.photos.setdefault(person, [])
    for entry in entries:
        if entry.name.startswith("."):
            found.left_out[LeftOut.HIDDEN] += 1
        elif entry.suffix.lower() in PHOTO_SUFFIXES:
            photos.append(entry)
        elif entry.is_dir():
            found.left_out[LeftOut.FOLDER_IN_FOLDER] += 1
        else:
            found.left_out[LeftOut.NOT_A_PHOTO] += 1


def _is_unicode(name: str) -> bool:
    """Return whether the name can be stored: bytes that are not UTF-8 become lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
