"""Embeddings that a caller has are searched and compared."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.api.people import embedding
from tests.compat.compreface.conftest import RECOGNITION, Program, part, refused

_RECOGNIZE = f"{RECOGNITION}/embeddings/recognize"
_COMPARE = "/api/v1/verification/embeddings/verify"

Values = list[float]


def _embedding(program: Program, name: str) -> Values:
    options = {"face_plugins": "calculator"}
    answer = program.ask("POST", "/api/v1/detection/detect", params=options, files=part(name))
    (face,) = answer["result"]
    values: Values = face["embedding"]
    return values


def test_embeddings_are_named_in_the_order_sent(program: Program) -> None:
    program.enrol("ada", "Ada")
    stranger, ada = _embedding(program, "mona"), _embedding(program, "ada_again")

    answer = program.ask("POST", _RECOGNIZE, json={"embeddings": [stranger, ada]})

    first, second = answer["result"]
    assert (first["embedding"], second["embedding"]) == (stranger, ada)
    assert first["similarities"][0]["similarity"] < 0.5
    assert second["similarities"][0]["subject"] == "Ada"
    assert second["similarities"][0]["similarity"] >= 0.5


def test_embeddings_are_compared_with_an_enrolled_face_most_similar_first(
    program: Program,
) -> None:
    image_id = program.enrol("ada", "Ada")
    stranger, ada = _embedding(program, "mona"), _embedding(program, "ada_again")
    sent = {"embeddings": [stranger, ada]}

    def compare(image_id: str) -> list[tuple[Values, bool]]:
        path = f"{RECOGNITION}/embeddings/faces/{image_id}/verify"
        result = program.ask("POST", path, json=sent)["result"]
        return [(one["embedding"], one["similarity"] >= 0.5) for one in result]

    assert compare(image_id) == [(ada, True), (stranger, False)]
    for unknown in (str(uuid4()), "no%20id"):
        assert compare(unknown) == [(stranger, False), (ada, False)]


def test_embeddings_are_compared_with_each_other_most_similar_first(program: Program) -> None:
    ada, again, other = (_embedding(program, name) for name in ("ada", "ada_again", "grace"))

    result = program.ask("POST", _COMPARE, json={"source": ada, "targets": [other, again, ada]})[
        "result"
    ]

    assert [one["embedding"] for one in result] == [ada, again, other]
    assert [one["similarity"] >= 0.5 for one in result] == [True, True, False]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (_RECOGNIZE, {}, 5),
        (_RECOGNIZE, {"embeddings": []}, 5),
        (_RECOGNIZE, {"embeddings": None}, 5),
        (_RECOGNIZE, {"embeddings": [["a"]]}, 36),
        (_RECOGNIZE, {"embeddings": [[1.0, 2.0]]}, 36),
        (_COMPARE, {"source": [1.0]}, 5),
        (_COMPARE, {"source": [1.0], "targets": [[1.0]]}, 36),
        (_COMPARE, [], 5),
    ],
)
def test_what_are_no_embeddings_is_refused_by_number(
    program: Program, path: str, body: object, code: int
) -> None:
    program.enrol("ada", "Ada")

    refused(program.send("POST", path, json=body), 400, code)


def test_embeddings_need_a_right_of_their_own(program_of: Callable[..., Program]) -> None:
    operator = program_of("operator")

    for path in (_RECOGNIZE, _COMPARE, f"{RECOGNITION}/embeddings/faces/{uuid4()}/verify"):
        message = refused(operator.send("POST", path, json={}), 404, 10)
        assert "templates" in message


def test_searches_by_embeddings_are_limited_where_similarities_are_withheld(
    with_settings: Callable[..., TestClient],
) -> None:
    client = with_settings(exact_similarities=False, limits={"searches_in_vain": 2})
    sent = {"embeddings": [embedding(seed) for seed in range(3)]}

    answer = client.post(_RECOGNIZE, json=sent)

    assert "searches" in refused(answer, 429, 0)
    assert int(answer.headers["retry-after"]) > 0
