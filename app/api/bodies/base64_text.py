"""Base64 in every spelling that clients send, and why a text is none."""

import binascii
import re
import string

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode("ascii")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHITE_SPACE = string.whitespace.encode("ascii")
_DATA_URL = re.compile(
    rb"\s*(?:data:)?(?:[\w.+-]+/[\w.+-]+)?(?P<parameters>(?:;[^,;]*)*),", re.IGNORECASE
)
_SLICE_BYTES = 1 << 20
"""Decoded at once, a multiple of four: between two slices, other threads have their turn."""
_DATA_URL_BYTES = 1_000
"""Bytes that are searched for a prefix: a data URL's type and parameters are short."""
_PERCENT_ENCODED = {b"%2b": b"+", b"%2f": b"/", b"%3d": b"=", b"%0a": b"", b"%0d": b"", b"%20": b""}
_LINK = re.compile(r"\s*(?:https?|ftp|file|s3|gs|blob):", re.IGNORECASE)
_FILE_NAME = re.compile(
    r"[^\n]{0,255}\.(?:avif|bmp|gif|heic|heif|jfif|jp2|jpe?g|png|tiff?|webp)\s*", re.IGNORECASE
)
_PYTHON_BYTES = re.compile(r"b['\"]")


def decode_base64(text: str) -> bytes:
    """The bytes that a text stands for.

    Either alphabet of RFC 4648, with or without padding, with white space anywhere, with or without
    a `data:` prefix. Raises ValueError with the cause, which does not repeat the text.
    """
    try:
        encoded = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise ValueError(_stranger(text, error.start)) from error
    start = _end_of_prefix(encoded)
    try:
        decoded = _decode_strictly(encoded, start)
    except binascii.Error:
        decoded = _decode_patiently(text, encoded, start)
    if not decoded:
        raise ValueError("it is empty")
    return decoded


def _end_of_prefix(encoded: bytes) -> int:
    """Return where the base64 of a data URL begins; 0 for any other text."""
    prefix = _DATA_URL.match(encoded, 0, _DATA_URL_BYTES)
    if prefix is None:
        if encoded[:5].lower() == b"data:":
            raise ValueError("it begins as a data URL, but no comma follows its type")
        return 0
    parameters = prefix["parameters"].lower().replace(b" ", b"")
    if not parameters.endswith(b";base64"):
        raise ValueError("it is a data URL without ;base64 before its comma")
    return prefix.end()


def _decode_strictly(encoded: bytes, start: int) -> bytes:
    """Decode text as encoders write it by default, which is nearly all of it."""
    return b"".join(
        binascii.a2b_base64(encoded[at : at + _SLICE_BYTES], strict_mode=True)
        for at in range(start, len(encoded), _SLICE_BYTES)
    )


def _decode_patiently(text: str, encoded: bytes, start: int) -> bytes:
    if start and b"%" in encoded:  # in a URL, what is no letter or digit may be written so
        for code, character in _PERCENT_ENCODED.items():
            encoded = encoded.replace(code.upper(), character).replace(code, character)
    decoded: list[bytes] = []
    left, padding = b"", b""
    for at in range(start, len(encoded), _SLICE_BYTES):
        piece = encoded[at : at + _SLICE_BYTES].translate(_URL_SAFE, delete=_WHITE_SPACE)
        if strangers := piece.translate(None, delete=_ALPHABET + b"="):
            raise ValueError(_stranger(text, text.index(chr(strangers[0]), start)))
        bare, mark, after = piece.partition(b"=")
        if (padding and bare) or after.strip(b"="):
            raise ValueError("'=' comes before its end; send one photo a text")
        padding = padding or mark
        bare = left + bare
        whole = len(bare) // 4 * 4
        decoded.append(binascii.a2b_base64(bare[:whole]))
        left = bare[whole:]
    if len(left) == 1:
        raise ValueError("it is cut off: one character too few or too many")
    decoded.append(binascii.a2b_base64(left + b"=" * (-len(left) % 4)))
    return b"".join(decoded)


def _stranger(text: str, place: int) -> str:
    """Describe a character that base64 does not have, and the likely reason for it."""
    fact = f"character {text[place]!r} at position {place} is none of base64's"
    if _LINK.match(text):
        return "it looks like a URL: photos are sent as bytes, not fetched"
    if _FILE_NAME.fullmatch(text):
        return "it looks like a file's name: send what is in the file"
    if _PYTHON_BYTES.match(text):
        return f"{fact}; it looks like Python's b'...': send encoded.decode()"
    return fact
