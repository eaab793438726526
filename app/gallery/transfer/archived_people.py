"""The people of an archived collection, one after the other, each with their faces.

The three members are read side by side, so that no more than a few people are in memory.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from app.gallery.transfer.archive_faults import damaged, first_problem
from app.gallery.transfer.archive_lines import FaceLine, Line, PersonLine
from app.gallery.transfer.archive_manifest import CollectionEntry
from app.gallery.transfer.archive_reader import ArchiveReader
from app.gallery.transfer.npy_header import ITEM_BYTES, read_shape
from app.gallery.transfer.unit_length import first_not_of_unit_length

_MAX_LINE_BYTES = 1 << 20
_PIECE_BYTES = 4 << 20

LineT = TypeVar("LineT", bound=Line)


@dataclass(frozen=True, slots=True)
class ArchivedFace:
    line: FaceLine
    embedding: bytes
    """Little-endian float32, unit length: as the database keeps it."""


@dataclass(frozen=True, slots=True)
class ArchivedPerson:
    line: PersonLine
    faces: tuple[ArchivedFace, ...]


def archived_people(
    archive: ArchiveReader, entry: CollectionEntry
) -> Generator[ArchivedPerson, None, None]:
    """Yield all people, in the order of the archive.

    Raises ArchiveUnusable at the first thing that is wrong. Checksums are compared at the end: only
    when it is reached was all of it true.
    """
    identities, faces, embeddings = entry.members
    with (
        archive.member(identities) as people_file,
        archive.member(faces) as faces_file,
        archive.member(embeddings) as embeddings_file,
    ):
        people_lines = _lines(people_file, PersonLine, identities.name, entry.identities)
        face_lines = _lines(faces_file, FaceLine, faces.name, entry.faces)
        vectors = _vectors(embeddings_file, entry)
        # Strict: both count what they yield, so one that ends early has raised.
        all_faces = (
            ArchivedFace(line, vector) for line, vector in zip(face_lines, vectors, strict=True)
        )
        yield from _joined(people_lines, all_faces, faces.name)


def _joined(
    people: Iterator[PersonLine], faces: Iterator[ArchivedFace], name: str
) -> Iterator[ArchivedPerson]:
    face = next(faces, None)
    for person in people:
        own = []
        while face is not None and face.line.identity_id == person.id:
            own.append(face)
            face = next(faces, None)
        photos = [face.line.image_sha256 for face in own if face.line.image_sha256 is not None]
        if len(set(photos)) != len(photos):
            raise damaged(f"person {person.id} has two faces of one photo")
        yield ArchivedPerson(person, tuple(own))
    if face is not None:
        raise damaged(
            f"face {face.line.id} in {name} belongs to no person, or is not in their order"
        )


def _lines(file: BufferedReader, kind: type[LineT], name: str, count: int) -> Iterator[LineT]:
    read = 0
    while data := file.readline(_MAX_LINE_BYTES):
        read += 1
        if read > count:
            break
        try:
            yield kind.model_validate_json(data)
        except ValidationError as error:
            raise damaged(f"line {read} of {name}: {first_problem(error)}") from error
    if read != count:
        raise damaged(f"{name} has {'more' if read > count else read} lines, not {count}")


def _vectors(file: BufferedReader, entry: CollectionEntry) -> Iterator[bytes]:
    name = entry.members[2].name
    shape = (entry.faces, entry.dimension)
    found = read_shape(file)
    if found != shape:
        raise damaged(f"{name} is no float32 array of shape {shape}")
    row_bytes = entry.dimension * ITEM_BYTES
    rows = max(1, _PIECE_BYTES // row_bytes)
    left = entry.faces
    while left:
        data = file.read(min(rows, left) * row_bytes)
        if len(data) != min(rows, left) * row_bytes:
            raise damaged(f"{name} has fewer rows than its shape {shape}")
        vectors = np.frombuffer(data, dtype="<f4").reshape(-1, entry.dimension)
        wrong = first_not_of_unit_length(vectors)
        if wrong is not None:
            raise damaged(f"row {entry.faces - left + wrong} of {name} is not of length 1")
        for start in range(0, len(data), row_bytes):
            yield data[start : start + row_bytes]
        left -= len(vectors)
    if file.read(1):
        raise damaged(f"{name} has more rows than its shape {shape}")
