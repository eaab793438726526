"""Forms whose fields are not known before: of clients of other services."""

from dataclasses import dataclass, field

from app.api.bodies.forms import FormReader, Part, too_many_photos
from app.errors import InvalidRequest

_MOST_TEXTS = 100


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form, by the name of its field."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SentForm:
    """The fields of a form: texts by name (the first of each), and files in their order."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[SentFile] = field(default_factory=list)

    def file(self, name: str) -> bytes | None:
        """Return the first file of this name; None without one."""
        return next((file.data for file in self.files if file.name == name), None)


class OpenForm(FormReader):
    """Keeps every part: as a file if it has the name or the type of one, else as text.

    Up to `max_files` of a photo's length, and 100 texts. Raises InvalidRequest for more.
    """

    def __init__(self, charset: str, *, max_files: int) -> None:
        super().__init__(charset)
        self.form = SentForm()
        self._max_files = max_files
        self._texts = 0

    def begin(self, part: Part) -> None:
        if part.is_file:
            return
        self._texts += 1
        if self._texts > _MOST_TEXTS:
            raise InvalidRequest(f"the form has over {_MOST_TEXTS} fields")

    def takes(self, part: Part) -> bool:
        del part
        return True

    def may_be_photo(self, part: Part) -> bool:
        return part.is_file

    def put(self, part: Part, data: bytes) -> None:
        if not part.is_file:
            self.form.texts.setdefault(part.name, part.text(data))
            return
        if len(self.form.files) >= self._max_files:
            raise too_many_photos(None, self._max_files)
        photo = part.photo(data)
        assert isinstance(photo, bytes)  # of a file
        self.form.files.append(SentFile(part.name, photo))
