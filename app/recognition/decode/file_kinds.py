"""The kind of a file, by its first bytes."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from app.errors import ImageInText, ImageUnreadable
from app.recognition.decode.structures import (
    gif_structure,
    jpeg2000_structure,
    jpeg_structure,
    png_structure,
    tiff_structure,
)


class FileKind(StrEnum):
    """The formats that are decoded; users see these names."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    BMP = "BMP"
    TIFF = "TIFF"
    GIF = "GIF"
    AVIF = "AVIF"
    HEIF = "HEIF"
    JPEG2000 = "JPEG2000"


FORMATS: Final = tuple(kind.value for kind in FileKind)

_STARTS: Final[tuple[tuple[FileKind, tuple[bytes, ...]], ...]] = (
    (FileKind.JPEG, (jpeg_structure.START,)),
    (FileKind.PNG, (png_structure.SIGNATURE,)),
    (FileKind.GIF, gif_structure.SIGNATURES),
    (FileKind.JPEG2000, (jpeg2000_structure.CODESTREAM, jpeg2000_structure.CONTAINER)),
    (FileKind.TIFF, tiff_structure.SIGNATURES),
    (FileKind.BMP, (b"BM",)),
)
_HEIF_BRANDS: Final = frozenset({
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
})  # fmt: skip
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})

_OTHERS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"II\xbc", "a JPEG XR picture"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG document"),
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\0\0\1\xba", "a video (MPEG)"),
    (b"\0\0\1\xb3", "a video (MPEG)"),
    (b"FLV\1", "a video (FLV)"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video (WMV)"),
    (b"OggS", "an Ogg audio or video file"),
    (b"ID3", "an audio file (MP3)"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)"),
    (b"IIRO", "a camera's raw file (ORF)"),
    (b"IIU\0", "a camera's raw file (RW2)"),
    (b"PK\3\4", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document"),
    (b"%!PS", "a PostScript file"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DDS texture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"AT&TFORM", "a DjVu document"),
    (b"BPG\xfb", "a BPG picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\xef\xbf\xbd", "a binary file that was converted as if it were text on its way"),
)
_IN_TEXT: Final[tuple[tuple[bytes, str], ...]] = (
    (b"/9j/", "a JPEG in base64 text"),
    (b"iVBORw0KGgo", "a PNG in base64 text"),
    (b"data:image/", "a data URL"),
)
_NETPBM: Final = frozenset(
    f"P{digit}{space}".encode() for digit in range(1, 8) for space in "\n\r\t "
)
_MEDIA_BRANDS: Final = {
    b"crx ": "a camera's raw file (CR3)",
    b"qt  ": "a video (QuickTime)",
    b"M4A ": "an audio file (M4A)",
}
_SEARCHED_BYTES: Final = 65_536
"""Bytes in which the start of a picture is searched, behind other bytes such as stream headers."""


def find_start(data: bytes) -> tuple[FileKind, int]:
    """Return the kind of a picture, and where in `data` it begins.

    Raises ImageUnreadable, which names what the file is instead, where that is known.
    """
    kind = _kind_at_start(data)
    if kind is not None:
        return kind, 0
    text = _start_in(_IN_TEXT, data)
    if text is not None:
        raise ImageInText(f"not an image file, but {text}")
    other = _other_kind(data)
    if other is not None:
        raise ImageUnreadable(
            f"not an image in a known format, but {other}; use one of {', '.join(FORMATS)}"
        )
    for marker, kind in (
        (jpeg_structure.START, FileKind.JPEG),
        (png_structure.SIGNATURE, FileKind.PNG),
    ):
        start = data.find(marker, 0, _SEARCHED_BYTES)
        if start >= 0:
            return kind, start
    raise ImageUnreadable(f"not an image in a known format; use one of {', '.join(FORMATS)}")


def _kind_at_start(data: bytes) -> FileKind | None:
    for kind, starts in _STARTS:
        if data.startswith(starts):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FileKind.WEBP
    return _container_kind(data) if data[4:8] == b"ftyp" else None


def _container_kind(data: bytes) -> FileKind | None:
    """Find the kind of an ISO media file by its brand, or by its compatible brands."""
    brand = data[8:12]
    end = min(int.from_bytes(data[:4]), 4_096)
    compatible = {data[at : at + 4] for at in range(16, end, 4)}
    if brand in _AVIF_BRANDS:
        return FileKind.AVIF
    if brand in _HEIF_BRANDS:
        # The general brands do not name the codec.
        is_avif = brand in (b"mif1", b"msf1") and compatible & _AVIF_BRANDS
        return FileKind.AVIF if is_avif else FileKind.HEIF
    if brand in _MEDIA_BRANDS:
        return None
    if compatible & _AVIF_BRANDS:
        return FileKind.AVIF
    return FileKind.HEIF if compatible & _HEIF_BRANDS else None


def _start_in(known: Sequence[tuple[bytes, str]], data: bytes) -> str | None:
    """The name of the first start that the data has, in any case and after white space."""
    head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in known:
        if data.startswith(start) or head.startswith(start.lower()):
            return name
    return None


def _other_kind(data: bytes) -> str | None:
    name = _start_in(_OTHERS, data)
    if name is not None:
        return name
    if data[4:8] == b"ftyp":
        return _MEDIA_BRANDS.get(data[8:12], "a video (MP4)")
    found = {
        data[4:8] in (b"moov", b"mdat", b"wide"): "a video (QuickTime)",
        data[:4] + data[8:12] == b"RIFFAVI ": "a video (AVI)",
        data[:4] + data[8:12] == b"RIFFWAVE": "an audio file (WAV)",
        data[128:132] == b"DICM": "a DICOM picture",
        data[:3] in _NETPBM: "a Netpbm picture (PPM)",
        data[-18:-2] == b"TRUEVISION-XFILE": "a Targa picture (TGA)",
        # Targa files without this end begin alike, with a zero for the number of icons.
        data[:4] == b"\0\0\1\0" and data[4:6] != b"\0\0": "an icon (ICO)",
        data[:4] == b"\0\0\2\0" and data[4:6] != b"\0\0": "a cursor (CUR)",
    }
    return found.get(True)
