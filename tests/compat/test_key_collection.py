"""A key names the collection of requests that name none."""

import pytest

from app.api.edge.callers import Caller
from app.compat.key_collection import collection_of
from app.errors import CollectionUndecided


@pytest.mark.parametrize(
    ("collections", "collection"),
    [
        (None, "default"),
        (("staff",), "staff"),
        (("default",), "default"),
        (("staff", "default"), "default"),
    ],
)
def test_a_key_of_one_collection_names_it_and_any_other_means_default(
    collections: tuple[str, ...] | None, collection: str
) -> None:
    assert collection_of(Caller("api_key", "a key", collections=collections)) == collection


@pytest.mark.parametrize(
    ("collections", "fact"),
    [(("staff", "guests"), "several collections"), ((), "no collection")],
)
def test_a_key_that_decides_nothing_is_refused(collections: tuple[str, ...], fact: str) -> None:
    with pytest.raises(CollectionUndecided, match=fact):
        collection_of(Caller("api_key", "a key", collections=collections))
