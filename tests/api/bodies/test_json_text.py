"""JSON is counted before it is made, and read in every encoding that it comes in."""

import codecs
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.bodies.json_text import MOST_KEYS, MOST_VALUES, parse_json, require_few_values
from app.api.schemas.parts.field_types import parse_json_text
from app.errors import InvalidRequest, RequestTooLarge

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(['"', "\\", '\\"', ","]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _values(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_values(item) for item in value.values())
    return 1 + sum(_values(item) for item in value) if isinstance(value, list) else 1


def _names(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_names(item) for item in value.values())
    return sum(_names(item) for item in value) if isinstance(value, list) else 0


@given(ANY_JSON, st.booleans())
def test_values_and_names_are_counted_outside_of_strings_alone(
    value: Any, ascii_only: bool
) -> None:
    """As many as there are are let through, and one less is not; quotes may be escaped."""
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    names = _names(value)
    most = 2 * _values(value) + text.count(b'"')  # an opened list counts once more, quotes apart
    require_few_values(text, "it", most + 1, names)
    if names:
        with pytest.raises(RequestTooLarge, match="names of fields"):
            require_few_values(text, "it", most + 1, names - 1)
    commas = _values(value) - 1
    if isinstance(value, list) and commas > 1:
        with pytest.raises(RequestTooLarge, match="values"):
            require_few_values(text, "it", 1, names)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"1," * MOST_VALUES + b"1]",
        b"[" + b'"",' * MOST_VALUES + b'""]',
        b"[" + b"[]," * MOST_VALUES + b"[]]",
        b"[" + b"[[[[[[[[[[]]]]]]]]]]," * (MOST_VALUES // 10) + b"[]]",
        b"{" + b",".join(b'"%d":1' % i for i in range(MOST_KEYS + 1)) + b"}",
        b'["' + b'\\"' * (MOST_VALUES + MOST_KEYS + 1) + b'"]',
    ],
    ids=["numbers", "texts", "lists", "nested lists", "names", "escapes"],
)
def test_more_values_than_a_request_can_mean_are_refused_unmade(
    text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.bodies.json_text.from_json", pytest.fail)
    with pytest.raises(RequestTooLarge, match="the body has over"):
        parse_json(text, "the body")


def test_long_strings_are_few_values() -> None:
    text = b'{"image": "' + b"a," * MOST_VALUES + b'\\\\", "b": "' + b"\\\\" * 100_000 + b'"}'
    assert parse_json(text, "the body") == {
        "image": "a," * MOST_VALUES + "\\",
        "b": "\\" * 100_000,
    }


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
    ],
)
def test_unicode_shows_its_encoding(encoding: str) -> None:
    value = {"name": "Zo\xeb \U0001f600"}
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(encoding), "it") == value


@pytest.mark.parametrize("charset", ["iso8859-1", "cp1252", "utf-16"])
def test_charset_is_as_the_type_says(charset: str) -> None:
    assert parse_json('{"name": "Zo\xeb"}'.encode(charset), "it", charset=charset) == {
        "name": "Zo\xeb"
    }


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{} x",
        b"[NaN]",
        b"[Infinity]",
        b'["\xff"]',
        b'["\\ud800"]',
        b"[" * 100_000,
        b"[" + b"9" * 100_000 + b"]",
        codecs.BOM_UTF16_LE + b"{",
    ],
)
def test_what_is_no_json_is_refused_in_few_words(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the line is not") as caught:
        parse_json(text, "the line")
    assert len(str(caught.value)) < 120


def test_gzip_data_without_its_header_are_named() -> None:
    with pytest.raises(InvalidRequest, match="gzip data; send content-encoding: gzip"):
        parse_json(gzip.compress(b"{}"), "the body")


@pytest.mark.parametrize("text", ['\ufeff{"a": 1}', codecs.BOM_UTF8 + b'{"a": 1}'])
def test_json_in_a_form_may_begin_with_a_byte_order_mark(text: str | bytes) -> None:
    assert parse_json_text(text) == {"a": 1}
