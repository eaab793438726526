"""Photos on disk as a command names them. Imports nothing heavy, as help texts list the choices."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class SubjectRule(StrEnum):
    """The face that a photo of several faces is of: none, the largest, or the most central one."""

    SINGLE = "single"
    LARGEST = "largest"
    CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class PhotoSource:
    """A folder or a CSV file of photos (`path`), and CSV files of `pairs` and of `groups`.

    `faces` is the rule for photos of several faces (default: `central` for LFW, else `single`).
    """

    path: Path
    faces: SubjectRule | None = None
    pairs: Path | None = None
    groups: Path | None = None
