"""Labeled Faces in the Wild on disk.

images/NAME/NAME_0001.jpg, and pairs.csv with the columns fold, same, left and right.

Huang et al., 2007. The face nearest the centre is that of the person in the photo's name.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

PHOTO_SIDE_PX = 250


@dataclass(frozen=True, slots=True)
class Pair:
    """`left` and `right` are photos, relative to the images folder."""

    fold: int
    same: bool
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class LfwData:
    root: Path

    @property
    def images(self) -> Path:
        return self.root / "images"

    def photos(self) -> list[str]:
        """All photos, relative to the images folder."""
        return sorted(str(path.relative_to(self.images)) for path in self.images.glob("*/*.jpg"))

    def photos_by_person(self) -> dict[str, list[str]]:
        people: dict[str, list[str]] = {}
        for photo in self.photos():
            people.setdefault(person_of(photo), []).append(photo)
        return people

    def pairs(self) -> list[Pair]:
        with (self.root / "pairs.csv").open(newline="", encoding="utf-8") as file:
            return [
                Pair(int(row["fold"]), row["same"] == "1", row["left"], row["right"])
                for row in csv.DictReader(file)
            ]


def person_of(photo: str) -> str:
    return photo.split("/", maxsplit=1)[0]


def lfw_data(parser: argparse.ArgumentParser, folder: Path) -> LfwData:
    """The data in a folder; ends the program, with the remedy, where there is none."""
    data = LfwData(folder)
    if not data.images.is_dir():
        parser.error(f"there is no folder {data.images}; see benchmarks/README.md")
    return data
