"""Bodies of clients of other services, whose fields are not known before."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, Request

from app.api.bodies.open_forms import SentFile, SentForm
from app.compat.bodies import URLENCODED, read_json, read_sent
from app.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType

FORM = "multipart/form-data; boundary=b"


def part(headers: str, data: bytes) -> bytes:
    return b"--b\r\n" + headers.encode("utf-8") + b"\r\n\r\n" + data + b"\r\n"


def text(name: str, data: str) -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', data.encode("utf-8"))


def a_file(name: str, data: bytes) -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"; filename="{name}"', data)


@pytest.fixture
def request_with(application: FastAPI) -> Any:
    def make(body: bytes, content_type: str | None) -> Request:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [] if content_type is None else [(b"content-type", content_type.encode())]
        scope = {"type": "http", "method": "POST", "headers": headers, "app": application}
        return Request(scope, receive)

    return make


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        (
            # As deepstack-python sends it: fields first, the photo without a type.
            text("api_key", "") + text("userid", "Zoë") + a_file("image", b"\xff\xd8") + b"--b--",
            FORM,
            SentForm({"api_key": "", "userid": "Zoë"}, [SentFile("image", b"\xff\xd8")]),
        ),
        (
            a_file("image0", b"1") + a_file("image1", b"2") + text("userid", "Ada") + b"--b--",
            FORM,
            SentForm({"userid": "Ada"}, [SentFile("image0", b"1"), SentFile("image1", b"2")]),
        ),
        (text("a", "first") + text("a", "second") + b"--b--", FORM, SentForm({"a": "first"})),
        (
            b"api_key=&userid=Ada+Lovelace",
            URLENCODED,
            SentForm({"api_key": "", "userid": "Ada Lovelace"}),
        ),
        (b"", URLENCODED, SentForm()),
        (b"", None, SentForm()),
        (b"", FORM, SentForm()),
        (b"--b--\r\n", FORM, SentForm()),
    ],
)
def test_forms_are_read_as_their_clients_write_them(
    request_with: Any,
    body: bytes,
    content_type: str | None,
    sent: SentForm,
) -> None:
    assert asyncio.run(read_sent(request_with(body, content_type))) == sent


@pytest.mark.parametrize(
    ("body", "content_type", "error", "fact"),
    [
        (b"x", "multipart/form-data", InvalidRequest, "no boundary"),
        (text("a", "b"), FORM, InvalidRequest, "cut off"),
        (b"".join(text(f"a{n}", "") for n in range(101)) + b"--b--", FORM, InvalidRequest, "100"),
        (
            b"".join(a_file(f"a{n}", b"1") for n in range(33)) + b"--b--",
            FORM,
            InvalidRequest,
            "over 32 images",
        ),
        (text("a", "x" * 1_000_001) + b"--b--", FORM, RequestTooLarge, "a is over 1 MB"),
        (b"a=" + b"x" * 1_000_001, URLENCODED, RequestTooLarge, "1000000 bytes"),
        (b"&".join(b"a=1" for _ in range(101)), URLENCODED, InvalidRequest, "cannot be read"),
        (b"a=J%F6rg", URLENCODED, InvalidRequest, "cannot be read"),
        (b"a=\xff", URLENCODED, InvalidRequest, "cannot be read"),
        (b"x", "text/plain", UnsupportedMediaType, "text/plain"),
    ],
)
def test_forms_that_cannot_be_read_are_refused(
    request_with: Any,
    body: bytes,
    content_type: str,
    error: type[Exception],
    fact: str,
) -> None:
    with pytest.raises(error, match=fact):
        asyncio.run(read_sent(request_with(body, content_type)))


def test_json_is_read_whatever_its_type(request_with: Any) -> None:
    long = b'{"file": "' + b"A" * 100_000 + b'"}'
    assert asyncio.run(read_json(request_with(b'["a"]', "application/x-amz-json-1.1"))) == ["a"]
    assert asyncio.run(read_json(request_with(long, None))) == {"file": "A" * 100_000}
    with pytest.raises(InvalidRequest, match="not JSON"):
        asyncio.run(read_json(request_with(b'{"a": ', "application/json")))
