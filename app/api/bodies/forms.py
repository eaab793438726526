"""Forms (multipart/form-data) as real clients send them, read as they come.

The fields of a form are known before it is read. A field that comes twice and a photo too many are
refused at their headers, and unknown parts are not kept, so that no form has many parts. The length
of text is bounded before anything parses it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from typing import TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.api.bodies.base64_text import decode_base64
from app.api.bodies.field_problems import MOST_PROBLEMS, unknown_fields
from app.api.bodies.media_types import charset_of, is_photo, media_type_of
from app.api.echo import shortened
from app.errors import FieldProblem, InvalidRequest, RequestTooLarge, UnsupportedMediaType

MAX_TEXT_BYTES = 1_000_000
"""Bytes of a field that is no photo."""

_LARGE_BYTES = 1_000_000
_MOST_BOUNDARIES = 10_000
"""Most boundaries of a large form. Text that only looks like one slows the search down."""
_EXTENDED_FILE_NAME = re.compile(rb";\s*filename\*[^=;]*=", re.IGNORECASE)
"""RFC 5987, and the continuations of RFC 2231; the parser leaves both out."""
_TEXT_CHARACTERS = bytes([*range(0x20, 0x7F), *b"\t\n\v\f\r"])
_PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}

FormValue = str | bytes | list[str | bytes]


@dataclass(frozen=True, slots=True)
class FormFields:
    """The fields that a form may have. One of `lists` takes up to `max_photos` parts."""

    texts: frozenset[str]
    photos: frozenset[str]
    lists: frozenset[str]
    max_photos: int

    @property
    def names(self) -> frozenset[str]:
        return self.texts | self.photos


async def read_form(
    chunks: AsyncIterable[bytes], content_type: str, fields: FormFields
) -> dict[str, FormValue]:
    """The values of a form by field: text, or the bytes of photos.

    A part of a field for photos is a file when it has a name of a file in any spelling, or says
    that it is an image or bytes, or holds anything but text; else it is text, which stays as it is:
    base64. A part that no field takes has an empty text. Raises InvalidRequest, RequestTooLarge.
    """
    form = await parse_form(chunks, content_type, lambda charset: _KnownForm(fields, charset))
    return form.values


async def parse_form(
    chunks: AsyncIterable[bytes], content_type: str, make: Callable[[str], "FormT"]
) -> "FormT":
    """Read a form to its end into the form that `make` returns for its charset.

    Raises InvalidRequest for what is no form, and what the form raises.
    """
    _, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise InvalidRequest("content-type has no boundary; let your HTTP client write this header")
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    form = make(_charset(charset))
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin_part,
                "on_header_field": form.header_name,
                "on_header_value": form.header_value,
                "on_header_end": form.end_header,
                "on_headers_finished": form.end_headers,
                "on_part_data": form.data,
                "on_part_end": form.end_part,
                "on_end": form.end,
            },
        )
        size = boundaries = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > _LARGE_BYTES:
                boundaries += chunk.count(b"\r\n--" + boundary)
            if boundaries > _MOST_BOUNDARIES:
                raise InvalidRequest("the boundary of the form is in its photos; choose another")
            parser.write(chunk)
    except FormParserError as error:
        raise InvalidRequest(
            "the form cannot be read: it must have lines that end with CR LF, and parts that begin "
            "with the boundary of content-type"
        ) from error
    if not form.ended:
        raise InvalidRequest("the form is cut off: it has no closing boundary")
    return form


class FormReader(ABC):
    """Reads the parts of a form, as the parser calls it; a subclass keeps what it takes of them."""

    def __init__(self, charset: str) -> None:
        self.ended = False
        self._charset = charset
        self._headers: dict[bytes, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._part = Part("", is_file=False, is_empty_choice=False, charset="")

    @abstractmethod
    def begin(self, part: "Part") -> None:
        """Look at a part whose headers were read. Raises InvalidRequest for one too many."""

    @abstractmethod
    def takes(self, part: "Part") -> bool:
        """Return whether the content of a part is kept while it is read."""

    @abstractmethod
    def may_be_photo(self, part: "Part") -> bool:
        """Return whether a part may be as long as a photo."""

    @abstractmethod
    def put(self, part: "Part", data: bytes) -> None:
        """Keep a part that was read to its end; one that is not taken has no data."""

    def begin_part(self) -> None:
        self._headers.clear()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def end_headers(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        _, parameters = parse_options_header(disposition)
        if b"name" not in parameters:
            raise InvalidRequest(
                'a part of the form has no name; write content-disposition: form-data; name="..."'
            )
        content_type = self._headers.get(b"content-type", b"")
        _, type_parameters = parse_options_header(content_type)
        charset = type_parameters.get(b"charset")
        self._part = Part(
            parameters[b"name"].decode("utf-8", "replace"),
            is_file=b"filename" in parameters
            or _EXTENDED_FILE_NAME.search(disposition) is not None
            or is_photo(media_type_of(content_type.decode("latin-1"))),
            is_empty_choice=parameters.get(b"filename") == b"",
            charset=_charset(charset.decode("latin-1")) if charset else self._charset,
            transfer_encoding=self._headers.get(b"content-transfer-encoding", b"")
            .decode("latin-1")
            .strip()
            .lower(),
        )
        self.begin(self._part)

    def data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if not self.takes(part):
            return
        part.size += end - start
        if part.size > MAX_TEXT_BYTES and not self.may_be_photo(part):
            raise RequestTooLarge(f"{part.name} is over {MAX_TEXT_BYTES / 1e6:g} MB")
        part.pieces.append(data[start:end])

    def end_part(self) -> None:
        part = self._part
        data = b"".join(part.pieces)
        part.pieces.clear()
        if part.is_empty_choice and not data and self.takes(part):
            return  # a file that was not chosen, which browsers send nevertheless
        self.put(part, data)

    def end(self) -> None:
        self.ended = True


class _KnownForm(FormReader):
    """The fields of a form that were read."""

    def __init__(self, fields: FormFields, charset: str) -> None:
        super().__init__(charset)
        self.values: dict[str, FormValue] = {}
        self._fields = fields
        self._photos = 0
        self._unknown: list[str] = []

    def begin(self, part: "Part") -> None:
        part.name = self._checked_name(part.name)
        if not self.may_be_photo(part):
            return
        self._photos += 1
        if self._photos > self._fields.max_photos and part.name in self._fields.lists:
            raise too_many_photos(None, self._fields.max_photos)

    def takes(self, part: "Part") -> bool:
        return part.name in self._fields.names

    def may_be_photo(self, part: "Part") -> bool:
        return part.name in self._fields.photos

    def put(self, part: "Part", data: bytes) -> None:
        if not self.takes(part):
            self.values[part.name] = ""
            return
        value = part.photo(data) if self.may_be_photo(part) else part.text(data)
        if part.name in self._fields.lists:
            values = self.values.setdefault(part.name, [])
            assert isinstance(values, list)
            values.append(value)
        else:
            self.values[part.name] = value

    def _checked_name(self, name: str) -> str:
        if name.endswith("[]") and name[:-2] in self._fields.lists:  # how PHP names lists
            name = name[:-2]
        if name not in self._fields.names:
            self._unknown.append(name)
            if len(self._unknown) > MOST_PROBLEMS:
                raise unknown_fields(set(self._unknown), self._fields.names, "field")
        elif name in self.values and name not in self._fields.lists:
            message = "was sent twice; send it once"
            raise InvalidRequest(f"{name} {message}", [FieldProblem(name, message)])
        return name


FormT = TypeVar("FormT", bound=FormReader)


class Part:
    """A part of a form, while it is read."""

    def __init__(
        self,
        name: str,
        *,
        is_file: bool,
        is_empty_choice: bool,
        charset: str,
        transfer_encoding: str = "",
    ) -> None:
        self.name = name
        self.is_empty_choice = is_empty_choice
        self.pieces: list[bytes] = []
        self.size = 0
        self.is_file = is_file
        self._charset = charset
        self._transfer_encoding = transfer_encoding

    def photo(self, data: bytes) -> str | bytes:
        """The bytes of a file, or text that is to be read as base64."""
        if self._transfer_encoding == "base64":
            return self._decoded(data)
        self._require_plain()
        if self.is_file or data.translate(None, delete=_TEXT_CHARACTERS):
            return data
        return data.decode("ascii")

    def text(self, data: bytes) -> str:
        if self._transfer_encoding == "base64":
            data = self._decoded(data)
        else:
            self._require_plain()
        try:
            return data.decode(self._charset)
        except UnicodeError as error:
            raise self._problem(
                f"is not {self._charset.upper()} text; send UTF-8, or say which charset it is in "
                "the part's content-type"
            ) from error

    def _require_plain(self) -> None:
        if self._transfer_encoding not in _PLAIN_ENCODINGS:
            raise self._problem(
                f"has the content-transfer-encoding {shortened(self._transfer_encoding)!r}; send "
                "it as binary"
            )

    def _decoded(self, data: bytes) -> bytes:
        try:
            return decode_base64(data.decode("latin-1"))
        except ValueError as error:
            raise self._problem(f"its content-transfer-encoding is base64, but {error}") from error

    def _problem(self, message: str) -> InvalidRequest:
        return InvalidRequest(f"{self.name}: {message}", [FieldProblem(self.name, message)])


def too_many_photos(count: int | None, most: int) -> InvalidRequest:
    """Make the error for too many photos in a request; without `count` they were not counted."""
    counted = f"over {most} images" if count is None else f"{count} images"
    return InvalidRequest(f"{counted}; the limit is {most} a request (VULTUS_LIMITS__MAX_IMAGES)")


def _charset(parameter: str) -> str:
    try:
        return charset_of(parameter)
    except UnsupportedMediaType as error:  # of a part, or left to it: not the body's type
        raise InvalidRequest(f"the form cannot be read: {error}") from error
