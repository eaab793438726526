"""CompreFace as a source: the subjects of one of its services, and their saved photos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app.cli.moving.compreface_requests import CompreFaceRequests
from app.cli.moving.source import PhotoNotGivenError, SourcePhoto
from app.errors import OtherServiceRefused
from app.operations.enroll.enroll_options import EnrollOptions

_API = "/api/v1/recognition"
_PAGE_SIZE = 500
_LABEL = "compreface:"


class _Answer(BaseModel):
    """An answer; what else is in it does not matter."""

    model_config = ConfigDict(extra="ignore", frozen=True)


AnswerT = TypeVar("AnswerT", bound=_Answer)


class _Subjects(_Answer):
    subjects: list[str]


class _Face(_Answer):
    image_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    subject: str


class _FacesPage(_Answer):
    faces: list[_Face]
    total_pages: int = 1
    """Releases before 1.0 answer all faces at once."""
    total_elements: int | None = None


@dataclass(frozen=True, slots=True)
class CompreFaceSource:
    """What a service of CompreFace had when it was asked."""

    people: Mapping[str, Sequence[SourcePhoto]]
    has_unique_labels: bool = True
    keeps_people_without_face: bool = True

    def options(self, asked: EnrollOptions) -> EnrollOptions:
        return asked


def ask_compreface(
    server: CompreFaceRequests,
    *,
    most_bytes: int,
    on_faces: Callable[[int, int | None], None] = lambda _, __: None,
) -> CompreFaceSource:
    """List subjects and faces. `most_bytes`: the size from which a photo is too large here.

    `on_faces` is called with the number of faces that are listed, and of all, if that is known.
    Blocks. Raises OtherServiceUnavailable and OtherServiceRefused.
    """
    named = _read(_Subjects, server.json(f"{_API}/subjects"), server.url)
    photos: dict[str, dict[str, SourcePhoto]] = {name: {} for name in named.subjects}
    listed = 0
    for page in _pages(server):
        for face in page.faces:
            own = photos.setdefault(face.subject, {})
            own[face.image_id] = _photo(server, face.image_id, most_bytes)
        listed += len(page.faces)
        on_faces(listed, page.total_elements)
    return CompreFaceSource({name: list(own.values()) for name, own in photos.items()})


def _pages(server: CompreFaceRequests) -> Iterator[_FacesPage]:
    number = 0
    while True:
        answer = server.json(f"{_API}/faces", {"page": number, "size": _PAGE_SIZE})
        page = _read(_FacesPage, answer, server.url)
        yield page
        number += 1
        if number >= page.total_pages or not page.faces:
            return


def _photo(server: CompreFaceRequests, image_id: str, most_bytes: int) -> SourcePhoto:
    def read() -> bytes:
        photo = server.file(f"{_API}/faces/{image_id}/img", most_bytes=most_bytes)
        if not photo:
            raise PhotoNotGivenError(
                "not_saved",
                "CompreFace has no photo of this face: it was deleted meanwhile, or the server "
                "saves none (save_images_to_db=false)",
            )
        return photo

    return SourcePhoto(_LABEL + image_id, read)


def _read(kind: type[AnswerT], answer: Any, url: str) -> AnswerT:  # noqa: ANN401
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        raise OtherServiceRefused(f"{url} does not answer as CompreFace does") from error
