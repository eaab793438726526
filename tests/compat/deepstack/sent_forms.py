"""Forms to the letter, as the HTTP libraries of real clients write them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FormPart:
    """A part of a form; one with a `file` name is a file, whose type may be left out."""

    name: str
    value: bytes
    file: str | None = None
    media_type: str | None = None


def text(name: str, value: str) -> FormPart:
    return FormPart(name, value.encode("utf-8"))


@dataclass(frozen=True)
class Form:
    boundary: str
    parts: Sequence[FormPart]

    @property
    def headers(self) -> dict[str, str]:
        return {"content-type": f"multipart/form-data; boundary={self.boundary}"}

    @property
    def body(self) -> bytes:
        dashes = b"--" + self.boundary.encode("ascii")
        lines = b"".join(dashes + b"\r\n" + _lines(part) for part in self.parts)
        return lines + dashes + b"--\r\n"


def by_requests(*parts: FormPart) -> Form:
    """As python-requests writes a form: fields first, no content type of files."""
    return Form("dcd01cd7ca46622aead6847dc31b6228", parts)


def by_node(*parts: FormPart) -> Form:
    """As the package form-data of Node writes it, for axios and others."""
    return Form("--------------------------735323031399963166993862", parts)


def _lines(part: FormPart) -> bytes:
    head = f'Content-Disposition: form-data; name="{part.name}"'
    if part.file is not None:
        head += f'; filename="{part.file}"'
    if part.media_type is not None:
        head += f"\r\nContent-Type: {part.media_type}"
    return head.encode("utf-8") + b"\r\n\r\n" + part.value + b"\r\n"
