"""Aligned crops on disk: one memory-mapped array, and the person on each of its rows.

    crops.npy      uint8 (rows, side, side, 3), RGB; it only grows
    photos.jsonl   a line for each known photo: its SHA-256, and its row, or why it has no crop
    store.json     the listing: person, photo and row of every crop in use
    cut.json       what crops depend on beside the photos; the folder takes only such crops

The array may be larger than memory. Crops are biometric data: only the user who made them can read
them.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from models.files import write_text_atomically
from models.training.errors import CropsCutOtherwiseError, StoreUnusableError
from models.zoo.network import InputSpec

Crop = NDArray[np.uint8]
"""RGB, (side, side, 3)."""

_FORMAT = 1
_INPUT = TypeAdapter(InputSpec)
_CROPS, _PHOTOS, _STORE, _CUT = "crops.npy", "photos.jsonl", "store.json", "cut.json"


@dataclass(frozen=True, slots=True)
class ListedCrop:
    """A photo's name and person; `failure` is the reason why it has no crop, if it has none."""

    photo: str
    person: str
    sha256: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class CropStore:
    """N crops of P people.

    `rows` (N,) are their rows in `crops`. `labels` (N,) are the indices of their people in `names`,
    which is sorted. `photos` and `sha256` identify the photos. `failures` are (photo, reason).
    Stores with the same crops of the same people have the same `digest`.
    """

    folder: Path
    crops: NDArray[np.uint8]
    input: InputSpec
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    photos: tuple[str, ...]
    sha256: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def crop(self, number: int) -> Crop:
        """A copy of the crop with a number from 0 to N - 1."""
        return np.array(self.crops[self.rows[number]])


def open_store(folder: Path) -> CropStore:
    """The store in a folder. Raises StoreUnusableError."""
    try:
        listed = json.loads((folder / _STORE).read_text(encoding="utf-8"))
        crops = np.load(folder / _CROPS, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise StoreUnusableError(
            f"{folder} has no readable crops ({error}); delete it, and cut them again"
        ) from error
    if listed.get("format") != _FORMAT:
        raise StoreUnusableError(f"{folder} was made by another version; delete it and cut again")
    rows = np.array(listed["rows"], dtype=np.int64)
    if len(rows) and rows.max() >= len(crops):
        raise StoreUnusableError(f"{folder / _CROPS} is cut short; delete {folder} and cut again")
    return CropStore(
        folder=folder,
        crops=crops,
        input=_INPUT.validate_python(listed["input"]),
        rows=rows,
        labels=np.array(listed["labels"], dtype=np.int64),
        names=tuple(listed["names"]),
        photos=tuple(listed["photos"]),
        sha256=tuple(listed["sha256"]),
        failures=tuple((photo, reason) for photo, reason in listed["failures"]),
        digest=listed["digest"],
    )


class CropStoreWriter:
    """Adds crops to a folder. One process at a time: a second one waits until the first closes it.

    Photos of earlier runs are known, so that an interrupted run can be continued. `cut_by` is what
    else the crops depend on, for JSON: a folder takes only crops with equal values.
    """

    def __init__(
        self, folder: Path, input_spec: InputSpec, cut_by: Mapping[str, object] | None = None
    ) -> None:
        self._folder = folder
        self._input = input_spec
        side = input_spec.size_px
        about = {"size_px": side, "template": input_spec.template, **(cut_by or {})}
        self._cut_by = json.loads(json.dumps(about))  # as they are read again
        self._shape = (side, side, 3)
        self._known: dict[str, int | str] = {}

    def open(self) -> None:
        """Open the folder, once no other process has it open. Raises StoreUnusableError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as files:
            lock = files.enter_context(_opened(self._folder / "lock"))
            flock(lock, LOCK_EX)
            self._crops = files.enter_context(_opened(self._folder / _CROPS))
            self._photos = files.enter_context(_opened(self._folder / _PHOTOS))
            self._read_known()
            self._require_whole()
            self._require_same_kind()
            self._files = files.pop_all()

    def close(self) -> None:
        with self._files:
            self._write_header(self._next_row)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def known(self, sha256: str) -> bool:
        return sha256 in self._known

    def failure(self, sha256: str) -> str | None:
        """The reason why a known photo has no crop; None if it has one."""
        found = self._known[sha256]
        return found if isinstance(found, str) else None

    def add(self, sha256: str, crop: Crop) -> None:
        if crop.shape != self._shape or crop.dtype != np.uint8:
            raise StoreUnusableError(f"a crop of {crop.shape}; the network takes {self._shape}")
        if self.known(sha256):
            return
        self._crops.seek(self._start_of(self._next_row))
        self._crops.write(crop.tobytes())
        self._note(sha256, self._next_row)
        self._next_row += 1

    def add_failure(self, sha256: str, reason: str) -> None:
        if not self.known(sha256):
            self._note(sha256, reason)

    def finish(self, listing: Sequence[ListedCrop]) -> None:
        """Write the listing of the crops that `open_store` then finds.

        A photo has the failure of its entry in `listing`, else that of its content.
        """
        self._write_header(self._next_row)
        os.fsync(self._crops.fileno())
        used = [one for one in listing if one.failure is None and self.failure(one.sha256) is None]
        used.sort(key=lambda one: (one.person, one.sha256, one.photo))  # for the digest
        failures = [
            (one.photo, one.failure or self.failure(one.sha256))
            for one in listing
            if one.failure is not None or self.failure(one.sha256) is not None
        ]
        names = sorted({one.person for one in used})
        number = {name: place for place, name in enumerate(names)}
        lines = sorted(f"{one.person}\t{one.sha256}" for one in used)
        content: Mapping[str, object] = {
            "format": _FORMAT,
            "input": asdict(self._input),
            "names": names,
            "labels": [number[one.person] for one in used],
            "rows": [self._known[one.sha256] for one in used],
            "photos": [one.photo for one in used],
            "sha256": [one.sha256 for one in used],
            "failures": failures,
            "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        }
        write_text_atomically(self._folder / _STORE, json.dumps(content))

    def _note(self, sha256: str, outcome: int | str) -> None:
        """Write the line after the row, so that the row of each line exists."""
        self._crops.flush()
        line = json.dumps({"sha256": sha256, "outcome": outcome})
        self._photos.write(line.encode() + b"\n")
        self._photos.flush()
        self._known[sha256] = outcome

    def _read_known(self) -> None:
        end = 0
        for line in self._photos:
            if not line.endswith(b"\n"):  # the process was killed while it wrote the line
                break
            entry = json.loads(line)
            self._known[entry["sha256"]] = entry["outcome"]
            end += len(line)
        self._photos.truncate(end)
        self._photos.seek(end)
        rows = [outcome for outcome in self._known.values() if isinstance(outcome, int)]
        self._next_row = max(rows, default=-1) + 1

    def _require_whole(self) -> None:
        size = os.fstat(self._crops.fileno()).st_size
        if not size and not self._next_row:
            self._write_header(0)
            return
        self._crops.seek(0)
        try:
            np.lib.format.read_magic(self._crops)
            shape, _, _ = np.lib.format.read_array_header_1_0(self._crops)
        except ValueError as error:
            raise StoreUnusableError(
                f"{self._folder / _CROPS} is damaged; delete the folder, and cut again"
            ) from error
        if shape[1:] != self._shape:
            raise StoreUnusableError(f"{self._folder} has crops of another size; name another")
        if size < self._start_of(self._next_row):
            raise StoreUnusableError(
                f"{self._folder / _CROPS} is cut short; delete the folder, and cut again"
            )

    def _require_same_kind(self) -> None:
        path = self._folder / _CUT
        if not path.exists() and not self._known:
            write_text_atomically(path, json.dumps(self._cut_by, indent=1))
            return
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CropsCutOtherwiseError(
                f"{self._folder} does not say how its crops were cut ({error})"
            ) from error
        if before != self._cut_by:
            raise CropsCutOtherwiseError(
                f"{self._folder} has crops that were cut otherwise: for another network, of "
                "other faces, or by another detector"
            )

    def _start_of(self, row: int) -> int:
        """The position of a row in the file, in bytes."""
        return len(_header((0, *self._shape))) + row * math.prod(self._shape)

    def _write_header(self, rows: int) -> None:
        self._crops.seek(0)
        self._crops.write(_header((rows, *self._shape)))
        self._crops.flush()


def _header(shape: tuple[int, ...]) -> bytes:
    """A header of NumPy, whose length is constant: it has room for the first axis to grow."""
    text = BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(text, about)
    return text.getvalue()


def _opened(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    return os.fdopen(handle, "r+b")
