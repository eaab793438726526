"""A damaged archive is refused, whatever it was packed with."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import FileNotAsPinned
from app.operations.fetching.zip_member import extract_member

CONTENT = np.random.default_rng(0).integers(0, 4, 20_000).astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_member_is_not_as_pinned(tmp_path: Path, packing: int) -> None:
    archive = tmp_path / "pack.zip"
    with zipfile.ZipFile(archive, "w", packing) as made:
        made.writestr("net.onnx", CONTENT)
    target = tmp_path / "net.onnx"
    extract_member(archive, "net.onnx", target, most_bytes=len(CONTENT))
    assert target.read_bytes() == CONTENT
    whole = archive.read_bytes()
    for start in range(60, 1_000, 60):  # beyond the header of the member
        damaged = bytearray(whole)
        damaged[start : start + 40] = b"\xff" * 40
        archive.write_bytes(damaged)
        with pytest.raises(FileNotAsPinned, match="cannot be read as a zip archive"):
            extract_member(archive, "net.onnx", target, most_bytes=len(CONTENT))
