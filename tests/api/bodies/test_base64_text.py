"""Base64 in every spelling is the same bytes, and what is none says why."""

import re
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from textwrap import wrap
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.bodies.base64_text import decode_base64


def _plain(data: bytes) -> str:
    return b64encode(data).decode("ascii")


SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "plain": _plain,
    "without padding": lambda data: _plain(data).rstrip("="),
    "URL-safe": lambda data: urlsafe_b64encode(data).decode("ascii"),
    "URL-safe without padding": lambda data: urlsafe_b64encode(data).decode("ascii").rstrip("="),
    "lines as in mail": lambda data: encodebytes(data).decode("ascii"),
    "CR LF": lambda data: "\r\n".join(wrap(_plain(data), 64)),
    "white space around": lambda data: f" \n{_plain(data)}\t ",
    "data URL": lambda data: f"data:image/jpeg;base64,{_plain(data)}",
    "data URL in capitals": lambda data: f"DATA:Image/JPEG;Base64,{_plain(data)}",
    "data URL with parameters": lambda data: f"data:image/png;name=a.png;base64,{_plain(data)}",
    "data URL without a type": lambda data: f"data:;base64,{_plain(data)}",
    "data URL with percent signs": lambda data: f"data:image/png;base64,{quote(_plain(data))}",
    "data URL, URL-safe": lambda data: f"data:a/b;base64,{urlsafe_b64encode(data).decode()}",
    "data URL without its scheme": lambda data: f"image/jpeg;base64,{_plain(data)}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(data=st.binary(min_size=1, max_size=300))
def test_every_spelling_is_the_same_bytes(spelling: str, data: bytes) -> None:
    assert decode_base64(SPELLINGS[spelling](data)) == data


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_long_text_is_the_same_bytes(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decoded slice by slice; slices of 16 characters here."""
    monkeypatch.setattr("app.api.bodies.base64_text._SLICE_BYTES", 16)
    for length in range(1, 60):
        data = bytes(range(200, 256))[:length].ljust(length)
        assert decode_base64(SPELLINGS[spelling](data)) == data
    for wrong in ("AAAA" * 4 + "=" + "AAAA" * 4, "AAAA" * 8 + "A", "AA==" + "AAAA" * 8):
        with pytest.raises(ValueError, match=r"cut off|before its end"):
            decode_base64(wrong)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("data:image/png;base64,", "it is empty"),
        ("/9j/4AAQSkZJRgABA!QAAQ==", "character '!' at position 17 is none of base64's"),
        ("data:image/png;base64,AA\x00A", "character '\\x00' at position 24"),
        ("AA\xe9A", "character '\xe9' at position 2"),
        ("AAAAA", "it is cut off"),
        ("AA==AA==", "'=' comes before its end"),
        ("data:image/png,AAAA", "a data URL without ;base64"),
        ("data:image/png;base64", "no comma follows its type"),
        ("https://example.org/a.jpg", "it looks like a URL: photos are sent as bytes, not fetched"),
        ("FILE:///home/me/a.jpg", "it looks like a URL"),
        ("/home/me/my photo.JPG", "it looks like a file's name"),
        ("b'/9j/4AAQ'", "Python's b'...'"),
    ],
)
def test_what_is_no_base64_says_why(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cause)):
        decode_base64(text)


@given(st.text(max_size=200) | st.text("AZaz09+/-_=,;:%\n ", max_size=200))
def test_any_text_is_bytes_or_refused_in_few_words(text: str) -> None:
    try:
        data = decode_base64(text)
    except ValueError as error:
        message = str(error)
    else:
        message = "" if data else "nothing"
    assert len(message) < 200
    assert message != "nothing"
