"""A problem before it is worded: by RFC 9457, or as another API does that the request speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.errors import FieldProblem, RejectedImage, VultusError


@dataclass(frozen=True, slots=True)
class Problem:
    """`status`, `title` and `code` as the service's own API has them; `fact` without, `detail` with
    the remedy for its clients.

    `error` is None for a defect, a path that no route has (`not_found`) and a method that a path
    does not have (`method_not_allowed`). `headers` belong to the answer in every format.
    """

    status: int
    title: str
    code: str
    fact: str
    detail: str
    request_id: str
    error: VultusError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[FieldProblem] = ()
    rejected: Sequence[RejectedImage] = ()
    missing_right: str | None = None
