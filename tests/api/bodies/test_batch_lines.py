"""Lines are the same however the stream is cut, and none of them is a surprise."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.bodies.batch_lines import _lines, _parse
from app.api.schemas.identities_batch import BatchItemBody
from app.errors import InvalidRequest, RequestTooLarge
from app.operations.enroll.batch_enroller import BatchItem, ItemResult, ItemStatus
from app.operations.enroll.enroll_options import EnrollOptions

CUTS = st.lists(st.integers(0, 200), max_size=8)
LINES = st.lists(
    st.one_of(
        st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")),
        st.sampled_from([b"", b" ", b"\r", b"{}", b"{}\r", b"\t{}"]),
    ),
    max_size=12,
)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes().map(str)
    | st.sampled_from(["AAAAAA==", "9999-12-31T23:59:59-01:00", "single", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _read(body: bytes, cuts: Sequence[int], most: int = 10_000) -> list[bytes]:
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in pairwise(edges):
            yield body[start:end]
        yield b""  # as servers end a body

    async def read() -> list[bytes]:
        return [bytes(line) async for line in _lines(chunks(), most)]

    return asyncio.run(read())


@given(LINES, st.booleans(), CUTS)
def test_lines_are_those_of_the_whole_body(
    lines: list[bytes], ends_with_newline: bool, cuts: list[int]
) -> None:
    body = b"\n".join(lines) + (b"\n" if ends_with_newline else b"")
    assert _read(body, cuts) == [line for line in lines if line.strip()]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.booleans(), CUTS)
def test_line_over_the_limit_is_refused_wherever_the_stream_is_cut(
    lengths: list[int], ends_with_newline: bool, cuts: list[int]
) -> None:
    body = b"\n".join(b"x" * length for length in lengths) + b"\n" * ends_with_newline
    if max(lengths) <= 10:
        assert [len(line) for line in _read(body, cuts, most=10)] == lengths
        return
    with pytest.raises(RequestTooLarge):
        _read(body, cuts, most=10)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(sorted(BatchItemBody.model_fields)), ANY_JSON) | ANY_JSON)
def test_any_line_is_an_item_or_rejected(values: object) -> None:
    _is_item_or_rejected(json.dumps(values).encode())


@given(st.binary(max_size=100))
def test_any_bytes_are_an_item_or_rejected(line: bytes) -> None:
    _is_item_or_rejected(line)


def _is_item_or_rejected(line: bytes) -> None:
    parsed = _parse(line, EnrollOptions())
    if isinstance(parsed, ItemResult):
        assert parsed.status == ItemStatus.REJECTED
        assert isinstance(parsed.error, InvalidRequest)
        assert str(parsed.error)
    else:
        assert isinstance(parsed, BatchItem)
