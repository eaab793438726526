"""Options in the query string, as CompreFace's clients write them.

Clients send a leading `&`, options without a value, options that no server knows, and a second `?`
before an option. None of that is an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from app.compat.compreface.refusals import malformed, no_face, out_of_bounds
from app.compat.person_names import is_unicode
from app.recognition.detection import Detection
from app.settings import Limits

OPTIONS = frozenset(
    {
        "subject",
        "limit",
        "prediction_count",
        "det_prob_threshold",
        "face_plugins",
        "status",
        "detect_faces",
        "page",
        "size",
    }
)
"""Names of options. Any other name is ignored."""

MOST_A_PAGE = 2_000
MOST_CANDIDATES = 100
"""People of one face at most."""

_DEFAULT_PAGE = 20
_LAST_PAGE = 10**9

_SECOND_MARK = re.compile(rf"\?(?=(?:{'|'.join(sorted(OPTIONS))})=)")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?"
)
_TRUTH = {"true": True, "false": False, "on": True, "off": False, "yes": True, "no": False} | {
    "1": True,
    "0": False,
}


def read_query(query_string: bytes) -> dict[str, str]:
    """The options of a query by name; of one that comes twice, the first.

    `?limit=` within a value begins another option: the JavaScript SDK writes so. A question mark
    that is sent as %3F is a part of the value. Raises Refused for an option that is not UTF-8: read
    with signs of replacement, the names of two people might be one.
    """
    text = _SECOND_MARK.sub("&", query_string.decode("latin-1"))
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        if name in OPTIONS:
            if not is_unicode(value):
                raise malformed(f"{name} must be percent-encoded UTF-8")
            found.setdefault(name, value)
    return found


@dataclass(frozen=True, slots=True)
class PhotoOptions:
    """Options of a request that brings a photo.

    `limit`: faces that are answered at most, largest first; None for all. `prediction_count`:
    people a face at most. `min_probability`: faces of a lower one do not count; None for the
    detector's own. `plugins`: names of what else is asked for of each face.
    """

    limit: int | None = None
    prediction_count: int = 1
    min_probability: float | None = None
    plugins: frozenset[str] = frozenset()
    with_embedding: bool = False
    with_status: bool = False
    detect_faces: bool = True

    @property
    def detection(self) -> Detection:
        return Detection(min_score=self.min_probability, is_crop=not self.detect_faces)

    def most_faces(self, limits: Limits) -> int:
        """Return how many faces are answered at most; more than the service does are as many as it
        does, as CompreFace has no such limit."""
        return min(self.limit or limits.max_faces, limits.max_faces)


def photo_options(sent: Mapping[str, str]) -> PhotoOptions:
    """Read the options of a photo. Raises Refused for a value that is out of its bounds."""
    limit = _whole(sent, "limit", least=0)
    least = _number(sent, "det_prob_threshold")
    if least is not None and not 0 <= least <= 1:
        raise no_face()  # as CompreFace does, whose clients expect it
    plugins = sent.get("face_plugins", "")
    return PhotoOptions(
        limit=limit or None,
        prediction_count=_whole(sent, "prediction_count", least=1) or 1,
        min_probability=least,
        plugins=frozenset(name.strip() for name in plugins.split(",")),
        with_embedding="calculator" in plugins,
        with_status=_truth(sent, "status", otherwise=False),
        detect_faces=_truth(sent, "detect_faces", otherwise=True),
    )


@dataclass(frozen=True, slots=True)
class PageOptions:
    """A page of a list, from 0, and how many items a page has."""

    page: int
    size: int


def page_options(sent: Mapping[str, str]) -> PageOptions:
    """Read page and size; what makes no sense is the default, as in CompreFace."""
    page = sent.get("page", "").strip()
    size = sent.get("size", "").strip()
    number = int(page) if _WHOLE_NUMBER.fullmatch(page) else 0
    count = int(size) if _WHOLE_NUMBER.fullmatch(size) else _DEFAULT_PAGE
    return PageOptions(
        page=min(max(0, number), _LAST_PAGE),
        size=_DEFAULT_PAGE if count < 1 else min(count, MOST_A_PAGE),
    )


def _whole(sent: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = sent.get(name, "").strip()
    if not text:
        return None
    if not _WHOLE_NUMBER.fullmatch(text):
        raise malformed(f"{name} must be a whole number")
    if int(text) < least:
        raise out_of_bounds(f"{name} must be at least {least}")
    return int(text)


def _number(sent: Mapping[str, str], name: str) -> float | None:
    text = sent.get(name, "").strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise malformed(f"{name} must be a number")
    return float(text)


def _truth(sent: Mapping[str, str], name: str, *, otherwise: bool) -> bool:
    text = sent.get(name, "").strip().lower()
    if not text:
        return otherwise
    if text not in _TRUTH:
        raise malformed(f"{name} must be true or false")
    return _TRUTH[text]
