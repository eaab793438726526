"""Archives taken apart and put together again, rightly or wrongly."""

import io
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

PEOPLE = "collections/0/identities.jsonl"
FACES = "collections/0/faces.jsonl"
EMBEDDINGS = "collections/0/embeddings.npy"
MANIFEST = "manifest.json"

Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    with ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def put_together(
    path: Path, members: Mapping[str, bytes], *, compression: int = ZIP_STORED
) -> None:
    with ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)


def manifest_of(members: Mapping[str, bytes]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(members[MANIFEST])
    return told


def with_manifest(members: Mapping[str, bytes], told: Mapping[str, Any]) -> Members:
    return {**members, MANIFEST: json.dumps(told).encode("utf-8")}


def with_checksums(members: Mapping[str, bytes]) -> Members:
    """As somebody would who changes an archive on purpose."""
    told = manifest_of(members)
    for collection in told["collections"]:
        for member in collection["members"]:
            data = members[member["name"]]
            member.update(size=len(data), sha256=sha256(data).hexdigest())
    return with_manifest(members, told)


def lines_of(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def as_lines(values: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode("utf-8")


def as_npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def from_npy(data: bytes) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.load(io.BytesIO(data), allow_pickle=False)
    return array
