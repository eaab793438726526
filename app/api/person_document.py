"""The document of everything that is held of a person, written piece by piece.

It is JSON by the schema `PersonDocument`. A piece holds some faces, so that a person with a
thousand of them takes no more memory than one with a few.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app import __version__
from app.api.schemas.audit import AuditLineBody
from app.api.schemas.people import (
    AskedBody,
    CropBody,
    CropsAs,
    ExportedFaceBody,
    ExportedGroupHead,
    ExportedPersonHead,
    ExportedUnknownFaceBody,
    ExportHead,
)
from app.errors import NotFound
from app.gallery.keys.rights import Right
from app.gallery.people.person_data import FaceParts
from app.gallery.people.person_data_records import HeldFace, HeldUnknownFace
from app.observe.acting import actor, may
from app.operations.access.findings import Finding, Found
from app.operations.access.person_reader import PersonReader
from app.runtime.threads import reading

_PIECE_CHARACTERS = 64_000


class PersonDocumentResponse(StreamingResponse):
    """The document as an answer, and what it is about."""

    def __init__(self, found: Found, writer: "PersonDocumentWriter") -> None:
        super().__init__(writer.stream(found), media_type="application/json")
        self.found = found


@dataclass(frozen=True, slots=True)
class PersonDocumentWriter:
    """Writes what was found, with lines of the audit log for those who may see them."""

    reader: PersonReader
    crops: CropsAs
    embeddings: bool = False

    async def stream(self, found: Found) -> AsyncIterator[bytes]:
        """Yield the document; each piece is read on a thread."""
        pieces = self.pieces(found)
        while (piece := await reading(next, pieces, None)) is not None:
            yield piece.encode("utf-8")

    def pieces(self, found: Found) -> Iterator[str]:
        """Yield the document in pieces of some ten thousand characters. It blocks."""
        waiting: list[str] = []
        size = 0
        for text in self._texts(found):
            waiting.append(text)
            size += len(text)
            if size >= _PIECE_CHARACTERS:
                yield "".join(waiting)
                waiting, size = [], 0
        yield "".join(waiting)

    def _texts(self, found: Found) -> Iterator[str]:
        asked = AskedBody.of(found)
        who = actor().principal
        yield _opened(ExportHead.of(found, asked=asked, vultus_version=__version__, made_by=who))
        yield ',"people":['
        yield from _list(self._person(one) for one in found.people)
        yield '],"unknown_groups":['
        yield from _list(self._group(one) for one in found.groups)
        yield '],"complete":true}'

    def _person(self, finding: Finding) -> Iterator[str]:
        try:
            record = self.reader.person(finding)
        except NotFound:  # erased meanwhile
            return
        yield _opened(ExportedPersonHead.of(finding, held=record))
        yield ',"faces":['
        faces = self.reader.faces(finding, self._parts)
        with suppress(NotFound):  # erased meanwhile: what was written of them is true
            yield from _items(
                ExportedFaceBody.of(
                    one, embedding=_numbers(one), crop=self._crop(finding, "identities", one)
                )
                for one in faces
            )
        yield '],"audit":'
        if may(Right.AUDIT):
            yield "["
            yield from _items(map(AuditLineBody.of, self.reader.lines(finding)))
            yield "]}"
        else:
            yield "null}"

    def _group(self, finding: Finding) -> Iterator[str]:
        try:
            held = self.reader.group(finding, self._parts)
        except NotFound:
            return
        yield _opened(ExportedGroupHead.of(finding, group=held.group))
        yield ',"faces":['
        yield from _items(
            ExportedUnknownFaceBody.of(
                one, embedding=_numbers(one), crop=self._crop(finding, "unknowns", one)
            )
            for one in held.faces
        )
        yield "]}"

    @property
    def _parts(self) -> FaceParts:
        return FaceParts(self.embeddings, crops=self.crops is CropsAs.BASE64)

    def _crop(
        self, finding: Finding, kind: str, held: HeldFace | HeldUnknownFace
    ) -> CropBody | None:
        if not held.face.has_crop or self.crops is CropsAs.NONE:
            return None
        if self.crops is CropsAs.LINKS:
            within = f"/v1/collections/{quote(finding.collection)}/{kind}/{finding.id}"
            return CropBody(path=f"{within}/faces/{held.face.id}/crop")
        if not held.sealed_crop:
            return CropBody()
        jpeg = self.reader.crop(finding.collection, held.face.id, held.sealed_crop)
        return CropBody(jpeg=None if jpeg is None else b64encode(jpeg).decode("ascii"))


def _numbers(held: HeldFace | HeldUnknownFace) -> list[float] | None:
    return None if held.embedding is None else [float(value) for value in held.embedding]


def _opened(model: BaseModel) -> str:
    """The JSON of an object, to which fields are added."""
    return model.model_dump_json().removesuffix("}")


def _items(models: Iterable[BaseModel]) -> Iterator[str]:
    return _list(iter((model.model_dump_json(),)) for model in models)


def _list(items: Iterable[Iterator[str]]) -> Iterator[str]:
    """The items of a list, each given in parts; one without any is left out."""
    is_first = True
    for parts in items:
        comma = "" if is_first else ","
        for text in parts:
            yield comma + text
            comma, is_first = "", False
