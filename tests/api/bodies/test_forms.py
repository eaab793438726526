"""Forms as clients write them: what is a photo, what is text, and what is refused early."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.api.bodies.forms import MAX_TEXT_BYTES, FormFields, FormValue, read_form
from app.errors import InvalidRequest, RequestTooLarge, VultusError
from tests.api.conftest import photo, problem

CASES = Path(__file__).parents[2] / "cases"
FIELDS = FormFields(
    texts=frozenset({"name", "filter"}),
    photos=frozenset({"image", "images"}),
    lists=frozenset({"images"}),
    max_photos=3,
)
FORM = "multipart/form-data; boundary=b"
BYTES = b"\xff\xd8\xff\xe0 a photo\r\n--bb\r\n"
DISPOSITION = b'content-disposition: form-data; name="image"'


def part(headers: bytes, data: bytes) -> bytes:
    return b"--b\r\n" + headers + b"\r\n\r\n" + data + b"\r\n"


def field(name: str, data: bytes) -> bytes:
    return part(b'content-disposition: form-data; name="%s"' % name.encode(), data)


def read(
    body: bytes, *, content_type: str = FORM, cuts: tuple[int, ...] = ()
) -> dict[str, FormValue]:
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in pairwise(edges):
            yield body[start:end]

    return asyncio.run(read_form(chunks(), content_type, FIELDS))


@pytest.mark.parametrize(
    "headers",
    [
        DISPOSITION + b'; filename="a.jpg"',
        DISPOSITION + b"; filename=a.jpg",
        DISPOSITION + b"; filename*=UTF-8''%C3%A9.jpg",
        DISPOSITION + b"; filename*0*=UTF-8''a; filename*1=b.jpg",
        DISPOSITION + b"\r\ncontent-type: image/jpeg",
        DISPOSITION + b"\r\nCONTENT-TYPE: Image/JPEG; q=1",
        DISPOSITION + b"\r\ncontent-type: application/octet-stream",
        DISPOSITION,
        b"Content-Disposition: FORM-DATA; NAME=image",
        b"content-transfer-encoding: binary\r\n" + DISPOSITION,
    ],
)
def test_bytes_of_a_photo_are_a_photo_whatever_its_part_leaves_out(headers: bytes) -> None:
    assert read(part(headers, BYTES) + b"--b--\r\n") == {"image": BYTES}


def test_text_in_a_field_for_photos_is_left_to_be_read_as_base64() -> None:
    encoded = b64encode(BYTES)
    assert read(part(DISPOSITION, encoded) + b"--b--") == {"image": encoded.decode()}
    headers = DISPOSITION + b"\r\ncontent-type: text/plain"
    assert read(part(headers, encoded) + b"--b--") == {"image": encoded.decode()}


def test_file_in_base64_that_says_so_is_decoded() -> None:
    headers = DISPOSITION + b'; filename="a.jpg"\r\ncontent-transfer-encoding: BASE64'
    assert read(part(headers, b64encode(BYTES)) + b"--b--") == {"image": BYTES}
    with pytest.raises(InvalidRequest, match="image: its content-transfer-encoding is base64, but"):
        read(part(headers, b"!") + b"--b--")


def test_text_field_may_be_a_file_and_in_a_charset() -> None:
    headers = b'content-disposition: form-data; name="name"'
    for more, data in (
        (b"", "Zo\xeb".encode()),
        (b'; filename="name.txt"', "Zo\xeb".encode()),
        (b"\r\ncontent-type: text/plain; charset=ISO-8859-1", "Zo\xeb".encode("latin-1")),
    ):
        assert read(part(headers + more, data) + b"--b--") == {"name": "Zo\xeb"}
    with pytest.raises(InvalidRequest, match="name: is not UTF-8 text"):
        read(part(headers, "Zo\xeb".encode("latin-1")) + b"--b--")


def test_lists_may_be_named_as_php_names_them() -> None:
    body = field("images[]", BYTES) + field("images", BYTES)
    assert read(body + b"--b--") == {"images": [BYTES, BYTES]}


def test_file_that_was_not_chosen_is_not_sent() -> None:
    headers = DISPOSITION + b'; filename=""\r\ncontent-type: application/octet-stream'
    assert read(part(headers, b"") + b"--b--") == {}


@given(st.lists(st.integers(0, 400), max_size=8))
def test_form_is_the_same_however_its_stream_is_cut(cuts: list[int]) -> None:
    body = (
        field("name", b"a\r\n--c") + field("image", BYTES) + field("images", b"\r\n--") + b"--b--"
    )
    assert read(body, cuts=tuple(cuts)) == {
        "name": "a\r\n--c",
        "image": BYTES,
        "images": ["\r\n--"],
    }


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (field("name", b"x" * (MAX_TEXT_BYTES + 1)), RequestTooLarge, "name is over 1 MB"),
        (field("name", b"a") * 2, InvalidRequest, "name was sent twice"),
        (field("images", b"a") * 4, InvalidRequest, "over 3 images; the limit is 3"),
        (b"".join(field(f"x{i}", b"") for i in range(21)), InvalidRequest, "no field is named x0"),
        (field("x", b"") * 21, InvalidRequest, "no field is named x; there are"),
        (field("image", b"\r\n--bb" * 200_000), InvalidRequest, "boundary of the form is in its"),
        (b"--b\r\ncontent-type: image/png\r\n\r\n", InvalidRequest, "has no name"),
        (part(DISPOSITION + b"; a=" + b"x" * 10_000, b""), InvalidRequest, "cannot be read"),
        (part(b"x: y\r\n" * 20 + DISPOSITION, b""), InvalidRequest, "cannot be read"),
        (b"no form", InvalidRequest, "cannot be read"),
    ],
)
def test_hostile_forms_are_refused_before_they_end(
    body: bytes, error: type[VultusError], words: str
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield body
        raise AssertionError("more was read")

    with pytest.raises(error, match=words):
        asyncio.run(read_form(chunks(), FORM, FIELDS))


def test_what_no_field_takes_is_not_kept() -> None:
    assert read(field("x", b"a" * 5_000_000) + field("name", b"a") + b"--b--") == {
        "x": "",
        "name": "a",
    }


@pytest.mark.parametrize("body", [b"", field("name", b"a"), field("name", b"a") + b"--b"])
def test_form_without_an_end_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="cut off"):
        read(body)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_form_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidRequest, match="content-type has no boundary"):
        read(b"", content_type=content_type)


def test_photo_in_a_part_without_a_file_name_is_detected(client: TestClient) -> None:
    body = (CASES / "form-part-without-filename.body").read_bytes()
    headers = {"content-type": "multipart/form-data; boundary=XX"}
    response = client.post("/v1/detect", content=body, headers=headers)
    assert response.status_code == 200, response.text
    assert len(response.json()["faces"]) == 1


def test_options_beside_a_photo_are_bounded(client: TestClient, collection: str) -> None:
    response = client.post(
        f"/v1/collections/{collection}/identify",
        data={"filter": '{"identity_ids": ["' + "x" * MAX_TEXT_BYTES + '"]}'},
        files={"image": ("a.jpg", photo("coffee"))},
    )
    assert "filter is over 1 MB" in problem(response, 413, "request_too_large")["detail"]
