"""A request of this dialect, once its form is read: who sends it, and to which collection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from fastapi import Request

from app.api.deps import services_of
from app.api.edge.callers import caller_in, sent_key
from app.api.granted import require_of_caller
from app.compat.bodies import read_sent
from app.compat.deepstack.refusals import NO_PHOTO, NO_USERID, Refused
from app.compat.key_collection import collection_of
from app.compat.late_caller import let_in
from app.gallery.keys.rights import Right
from app.services import Services

_KEY = "api_key"
_USERID = "userid"
UNKNOWN = "unknown"
"""The userid of strangers in answers."""


@dataclass(frozen=True, slots=True)
class Call:
    """`fields` are the texts of the form by their names in small letters, `files` its files,
    whatever their names. `began` is a time of `time.perf_counter`.
    """

    services: Services
    collection: str
    fields: Mapping[str, str]
    files: Sequence[bytes]
    began: float

    @property
    def photo(self) -> bytes:
        """The first file. Raises Refused without one."""
        return self.photos[0]

    @property
    def photos(self) -> Sequence[bytes]:
        """The files, at least one. Raises Refused without one."""
        if not self.files:
            raise Refused(NO_PHOTO)
        return self.files

    @property
    def userid(self) -> str:
        """The userid as it was sent. Raises Refused without one."""
        userid = self.fields.get(_USERID, "")
        if not userid.strip():
            raise Refused(NO_USERID)
        return userid


async def called(request: Request, right: Right) -> Call:
    """Read a request, and let its caller in.

    The key is the field `api_key`; where it is missing or empty, that of the headers. Raises
    AccessDenied, RightMissing and CollectionUndecided, and as `read_sent` does.
    """
    began = perf_counter()
    form = await read_sent(request)
    # In any case: clients for ASP.NET, as CodeProject.AI Server is, write `userId`.
    fields = {name.lower(): text for name, text in reversed(form.texts.items())}
    key = fields.get(_KEY, "") or sent_key(request.headers)
    caller = let_in(request, key) if key else caller_in(request.scope)
    require_of_caller(request, right)
    files = [file.data for file in form.files]
    return Call(services_of(request), collection_of(caller), fields, files, began)
