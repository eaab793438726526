"""Folders of people as other programs keep them: one folder a person, whose name is theirs.

- Double-Take: `train/NAME/*.jpg` in its folder `.storage`, beside `matches`.
- Frigate: `clips/faces/NAME/*.webp` in its media folder. These are crops of faces without a margin.
  The folder `train` beside them has faces that wait for a name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.cli.moving.layouts import Layout
from app.cli.moving.source import PhotoNotGivenError, SourcePhoto, label_of
from app.cli.people.folder_of_people import LeftOut, read_folder
from app.errors import InvalidRequest
from app.operations.enroll.enroll_options import EnrollOptions
from app.recognition.detection import Detection

_ATTEMPTS = "train"
"""Frigate's folder of faces without a name."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The photos of a folder. `root` has the folders of people."""

    root: Path
    layout: Layout
    photos: Mapping[Path, Sequence[Path]]
    left_out: Counter[LeftOut]
    has_unique_labels: bool = False
    keeps_people_without_face: bool = False

    @property
    def people(self) -> Mapping[str, Sequence[SourcePhoto]]:
        return {
            person.name: [self._photo(path) for path in paths]
            for person, paths in self.photos.items()
        }

    def options(self, asked: EnrollOptions) -> EnrollOptions:
        if self.layout is not Layout.FRIGATE:
            return asked
        return replace(asked, detection=Detection(asked.detection.min_score, is_crop=True))

    def _photo(self, path: Path) -> SourcePhoto:
        def read() -> bytes:
            try:
                return path.read_bytes()
            except OSError as error:
                raise PhotoNotGivenError("unreadable_file", str(error)) from error

        return SourcePhoto(label_of(str(path.relative_to(self.root))), read)


def open_folder(folder: Path, layout: Layout) -> FolderSource:
    """Read a folder, its own or that of the whole program.

    Raises InvalidRequest when it has no folders of people, OSError when it cannot be read.
    """
    found = _find(folder, layout)
    if found is None:
        raise InvalidRequest(f"{folder} has no folders as {layout} keeps them")
    kind, root = found
    people = read_folder(root)
    photos = dict(people.photos)
    if kind is Layout.FRIGATE:
        photos.pop(root / _ATTEMPTS, None)
    if not photos:
        raise InvalidRequest(f"{root} has no folders in it; make one folder a person")
    return FolderSource(root, kind, photos, people.left_out)


def _find(folder: Path, layout: Layout) -> tuple[Layout, Path] | None:
    """The layout and the folder of people; AUTO takes the first that fits."""
    if layout is Layout.PLAIN:
        return Layout.PLAIN, folder
    if layout in (Layout.AUTO, Layout.FRIGATE):
        for root in (folder / "clips" / "faces", folder / "faces"):
            if root.is_dir():
                return Layout.FRIGATE, root
        if layout is Layout.FRIGATE or _is_of_frigate(folder):
            return Layout.FRIGATE, folder
    for root in (folder / ".storage" / "train", folder / "train"):
        is_beside_matches = (root.parent / "matches").is_dir()
        if root.is_dir() and (layout is Layout.DOUBLE_TAKE or is_beside_matches):
            return Layout.DOUBLE_TAKE, root
    return (layout if layout is Layout.DOUBLE_TAKE else Layout.PLAIN), folder


def _is_of_frigate(folder: Path) -> bool:
    """Return whether a folder is Frigate's `clips/faces`, which may be copied elsewhere."""
    if folder.parts[-2:] == ("clips", "faces"):
        return True
    attempts = folder / _ATTEMPTS
    return attempts.is_dir() and any(attempts.glob("*.webp"))
