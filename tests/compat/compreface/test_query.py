"""Queries as CompreFace's clients were recorded to write them."""

from typing import Any

import pytest

from app.compat.compreface.codes import Code
from app.compat.compreface.query import PageOptions, page_options, photo_options, read_query
from app.compat.compreface.refusals import Refused


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("&limit=0&status=True", {"limit": "0", "status": "True"}),
        (
            "limit=0&threshold=&prediction_count=1&face_plugins=&status=false&detect_faces=true",
            {
                "limit": "0",
                "prediction_count": "1",
                "face_plugins": "",
                "status": "false",
                "detect_faces": "true",
            },
        ),
        ("subject=Ada+Lovelace&threshold=", {"subject": "Ada Lovelace"}),
        ("subject=Ada%20Lovelace", {"subject": "Ada Lovelace"}),
        (
            "subject=Ada%20Lovelace?det_prob_threshold=0.8",
            {"subject": "Ada Lovelace", "det_prob_threshold": "0.8"},
        ),
        (
            "det_prob_threshold=0.9?face_plugins=pose?status=true",
            {"det_prob_threshold": "0.9", "face_plugins": "pose", "status": "true"},
        ),
        # The Python SDK does not escape: the rest of the name is lost, there as here.
        (
            "subject=Zo%C3%AB%20&%20Bob+1&det_prob_threshold=0.8",
            {"subject": "Zoë ", "det_prob_threshold": "0.8"},
        ),
        ("subject=Who?", {"subject": "Who?"}),
        ("subject=Who?are=you", {"subject": "Who?are=you"}),
        ("subject=Who%3Flimit=1", {"subject": "Who?limit=1"}),
        ("subject=", {"subject": ""}),
        ("unknown=%F6&subject=J%C3%B6rg", {"subject": "Jörg"}),
        ("page=0&size=10&page=3", {"page": "0", "size": "10"}),
        ("", {}),
    ],
)
def test_a_query_is_read_however_clients_write_it(query: str, options: dict[str, str]) -> None:
    assert read_query(query.encode()) == options


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", {"limit": None, "prediction_count": 1, "min_probability": None, "with_status": False}),
        ("limit=0", {"limit": None}),
        ("limit=2&prediction_count=3&det_prob_threshold=.5", {"limit": 2, "prediction_count": 3}),
        ("status=True&detect_faces=FALSE", {"with_status": True, "detect_faces": False}),
        ("face_plugins=undefined", {"plugins": {"undefined"}, "with_embedding": False}),
        ("face_plugins=landmarks,%20pose", {"plugins": {"landmarks", "pose"}}),
        ("face_plugins=insightface.calculator", {"with_embedding": True}),
        ("limit=&status=&det_prob_threshold=&prediction_count=", {"limit": None}),
    ],
)
def test_options_of_photos_are_understood(query: str, wanted: dict[str, Any]) -> None:
    options = photo_options(read_query(query.encode()))

    assert {name: getattr(options, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=-1", Code.VALUE_REFUSED),
        ("prediction_count=0", Code.VALUE_REFUSED),
        ("limit=two", Code.MALFORMED),
        ("limit=1.5", Code.MALFORMED),
        ("status=perhaps", Code.MALFORMED),
        ("det_prob_threshold=high", Code.MALFORMED),
        ("det_prob_threshold=nan", Code.MALFORMED),
        ("subject=J%F6rg", Code.MALFORMED),  # Latin-1
        ("det_prob_threshold=1.01", Code.NO_FACE),
        ("det_prob_threshold=-0.1", Code.NO_FACE),
    ],
)
def test_options_out_of_their_bounds_are_refused_by_number(query: str, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        photo_options(read_query(query.encode()))

    assert (refused.value.status, refused.value.number) == (400, code)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", PageOptions(0, 20)),
        ("page=1&size=5", PageOptions(1, 5)),
        ("page=-1&size=0", PageOptions(0, 20)),
        ("page=x&size=y", PageOptions(0, 20)),
        ("size=5000", PageOptions(0, 2_000)),
        ("page=999999999999", PageOptions(10**9, 20)),
    ],
)
def test_pages_are_numbered_from_0_and_have_bounds(query: str, page: PageOptions) -> None:
    assert page_options(read_query(query.encode())) == page
