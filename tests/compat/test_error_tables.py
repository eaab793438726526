"""Every error of the service has words in every API, and none is answered as a success."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from app.api.problems import problem_of
from app.compat.dialects import dialects_named
from app.errors import InvalidRequest, NoUsableImage, Reason, RejectedImage, VultusError
from tests.compat.foreign_apis import FOREIGN_APIS, ForeignApi, refusal

_FACT = "a fact of this error"


def _tree(kind: type[VultusError] = VultusError) -> Iterator[type[VultusError]]:
    if not kind.__module__.startswith("app.compat."):  # of one API, which words it alone
        yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _made(kind: type[VultusError]) -> VultusError:
    """An error of a class, with something for each parameter."""
    parameters = inspect.signature(kind).parameters.values()
    named = [each for each in parameters if each.kind is not each.VAR_POSITIONAL]
    return kind(**{each.name: _value(each) for each in named})


def _value(parameter: inspect.Parameter) -> Any:
    if parameter.name == "message":
        return _FACT
    kind = str(parameter.annotation)
    if "RejectedImage" in kind:
        return [RejectedImage(0, (Reason.LOW_SHARPNESS,), _FACT)]
    if "Sequence" in kind:
        return ()
    return {"<class 'int'>": 1, "<class 'float'>": 1.5, "<class 'bool'>": True}.get(kind, "x")


def _answered(api: ForeignApi, error: VultusError) -> Response:
    (dialect,) = dialects_named([api.name])
    scope = {"state": {"request_id": "r-1", "foreign_api": dialect}}
    answer = problem_of(error, scope)
    return Response(
        answer.status_code,
        headers={**answer.headers, "x-request-id": "r-1"},
        content=bytes(answer.body),
    )


@pytest.mark.parametrize("api", FOREIGN_APIS, ids=lambda api: api.name)
def test_every_error_of_the_service_has_words(api: ForeignApi) -> None:
    for kind in _tree():
        error = _made(kind)
        status, code = refusal(api, _answered(api, error))
        assert status >= 400, kind.__name__
        assert code is not None


@pytest.mark.parametrize("api", FOREIGN_APIS, ids=lambda api: api.name)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_a_rejected_photo_has_words(api: ForeignApi, reason: Reason) -> None:
    face = ((0.0, 0.0, 9.0, 9.0), 0.9)
    faces = () if reason in {Reason.NO_FACE, Reason.IMAGE_UNREADABLE} else (face,)
    error = NoUsableImage(_FACT, [RejectedImage(0, (reason,), _FACT, faces)])
    status, _ = refusal(api, _answered(api, error))
    assert status in {400, 413}


@pytest.mark.parametrize("api", FOREIGN_APIS, ids=lambda api: api.name)
def test_the_fact_of_an_error_is_in_the_words_of_each_api(api: ForeignApi) -> None:
    assert _FACT in _answered(api, InvalidRequest(_FACT)).text
