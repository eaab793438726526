"""Filters match exactly the people whom a look at their attributes would."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import ExternalIdTaken
from app.gallery.gallery import Gallery
from app.gallery.people.attribute_texts import MAX_KEY_LENGTH, MAX_TEXT_LENGTH, filterable
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import (
    Condition,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    PeopleFilter,
    Scalar,
)
from app.gallery.store.database import Database
from app.gallery.store.tables import AttributeTable
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    enroll,
    enrolled_id,
    found_ids,
    new_face,
    unit_vector,
)

PROBE = unit_vector(1)

Attributes = Mapping[str, object]


def same(kept: object, asked: Scalar) -> bool:
    """Equality as in JSON: numbers by value, and nothing else equals anything of another type."""
    kinds = {type(value) if isinstance(value, bool | str) else float for value in (kept, asked)}
    return isinstance(kept, str | int | float) and len(kinds) == 1 and kept == asked


def holds(condition: Condition, attributes: Attributes) -> bool:
    kept = attributes.get(condition.key)
    if not isinstance(kept, str | int | float) or len(condition.key) > MAX_KEY_LENGTH:
        return False
    if isinstance(kept, str) and len(kept) > MAX_TEXT_LENGTH:
        return False
    if condition.one_of is not None and not any(same(kept, one) for one in condition.one_of):
        return False
    if condition.prefix is not None or condition.suffix is not None:
        return (
            isinstance(kept, str)
            and kept.startswith(condition.prefix or "")
            and kept.endswith(condition.suffix or "")
        )
    return True


def enroll_with(
    gallery: Gallery, people: Sequence[Attributes], *, collection: str = COLLECTION
) -> list[str]:
    """Ids of new people with these attributes, and the same face each."""
    outcomes = gallery.people.enroll_many(
        collection,
        [NewPerson(NewIdentity(attributes=own), (new_face(PROBE),)) for own in people],
    )
    return [enrolled_id(outcome) for outcome in outcomes]


def matching(gallery: Gallery, *conditions: Condition, collection: str = COLLECTION) -> set[str]:
    """Ids of those whom a search finds, who are also those whom a list shows."""
    found = set(found_ids(gallery, PROBE, collection=collection, wanted=PeopleFilter(conditions)))
    wanted = IdentityFilter(conditions=conditions)
    listed = gallery.people.page(collection, wanted, limit=1_000, cursor=None)
    assert {identity.id for identity in listed.items} == found
    return found


_PIECES = [
    *("a", "A", "b", "%", "_", "\\", "'", ":", "s:", " ", "é", "e\u0301", "ß", "ẞ", "\u0131", "İ"),
    *("\u0001", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff"),
    *("\U00010000", "\U0010fffe", "\U0010ffff", "👩🏽‍🚀"),
]
"""What goes wrong first: case, wildcards, escapes, normal forms, and where an encoding takes one
more byte or code points have a gap."""

_texts = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=4).map("".join),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
)
_numbers = st.one_of(
    st.sampled_from([0, 1, 1.0, -1, -1.0, 0.5, -0.0, 10, 1e15, 10**15, 10**18, 1e300, 0.1, 1 / 3]),
    st.integers(-(2**53), 2**53),
    st.floats(-(2**52), 2**52),
)
_scalars = st.one_of(
    _texts, _numbers, st.booleans(), st.sampled_from(["1", "true", "1.0", "n:1", "b:true", ""])
)
_values: st.SearchStrategy[Any] = st.one_of(
    _scalars, st.none(), st.lists(_scalars, max_size=1), st.just({}), st.just("x" * 300)
)
_keys = st.sampled_from(["k", "K", "site", "ключ", "", "x" * MAX_KEY_LENGTH, "x" * 129])
_people: st.SearchStrategy[list[Attributes]] = st.lists(
    st.dictionaries(_keys, _values, max_size=4), min_size=1, max_size=8
)


@st.composite
def _questions(draw: st.DrawFn) -> tuple[list[Attributes], list[list[Condition]]]:
    """People, and filters that mostly ask for what some of them have."""
    people = draw(_people)
    present = [(key, value) for own in people for key, value in own.items()]

    def condition() -> Condition:
        key, value = draw(st.sampled_from(present)) if present else (draw(_keys), "")
        one_of = prefix = suffix = None
        if draw(st.booleans()):
            others = draw(st.lists(_scalars, max_size=2))
            own = [value] if isinstance(value, str | int | float) and draw(st.booleans()) else []
            one_of = (*own, *others)
        text = value if isinstance(value, str) else draw(_texts)
        if draw(st.booleans()):
            prefix = text[: draw(st.integers(0, 3))] + draw(st.sampled_from(["", *_PIECES]))
        if draw(st.booleans()):
            suffix = draw(st.sampled_from(["", *_PIECES])) + text[draw(st.integers(0, 3)) :]
        return Condition(key, one_of, prefix, suffix)

    filters = [
        [condition() for _ in range(draw(st.integers(1, 2)))]
        for _ in range(draw(st.integers(1, 5)))
    ]
    return people, filters


def test_filters_find_whom_a_look_at_everybody_finds(gallery: Gallery) -> None:
    numbers = count()

    @settings(max_examples=40)
    @given(question=_questions())
    def check(question: tuple[list[Attributes], list[list[Condition]]]) -> None:
        people, filters = question
        name = f"c{next(numbers)}"
        gallery.collections.create(name, None)
        ids = enroll_with(gallery, people, collection=name)
        for conditions in filters:
            expected = {
                identity_id
                for identity_id, own in zip(ids, people, strict=True)
                if all(holds(condition, own) for condition in conditions)
            }
            assert matching(gallery, *conditions, collection=name) == expected
        gallery.collections.delete(name)

    check()


@settings(max_examples=200)
@given(kept=_scalars, asked=_scalars)
@example(1, 1.0)
@example(True, 1)
@example("1", 1)
@example(-0.0, 0)
def test_values_are_written_alike_when_they_are_equal_and_only_then(
    kept: Scalar, asked: Scalar
) -> None:
    assert (filterable({"k": kept}) == filterable({"k": asked})) == same(kept, asked)


def test_one_is_not_true_and_not_a_text(gallery: Gallery) -> None:
    values = {"int": 1, "float": 1.0, "bool": True, "text": "1", "list": [1], "none": None}
    enrolled = enroll_with(gallery, [{"k": one} for one in values.values()])
    ids = dict(zip(enrolled, values, strict=True))
    asked: list[tuple[Scalar, set[str]]] = [
        (1, {"int", "float"}),
        (1.0, {"int", "float"}),
        (True, {"bool"}),
        ("1", {"text"}),
        ("true", set()),
        (False, set()),
        ("b:true", set()),
    ]
    for one, expected in asked:
        assert {ids[found] for found in matching(gallery, Condition("k", (one,)))} == expected


def test_texts_are_compared_code_point_by_code_point(gallery: Gallery) -> None:
    texts = ["Anna", "anna", "ANNA", "Ann%", "Ann_", "Zoë", "Zoe\u0308", "Zoe", " Anna", "Anna "]
    ids = dict(zip(texts, enroll_with(gallery, [{"k": text} for text in texts]), strict=True))
    for text in texts:
        assert matching(gallery, Condition("k", (text,))) == {ids[text]}
        assert matching(gallery, Condition("k", prefix=text)) == {
            own for other, own in ids.items() if other.startswith(text)
        }
        assert matching(gallery, Condition("k", suffix=text)) == {
            own for other, own in ids.items() if other.endswith(text)
        }


def test_beginning_that_nearly_nothing_comes_after_is_found(gallery: Gallery) -> None:
    rare = ["\ud7ff", "\uffff", "\U0010ffff", "z\U0010ffff\U0010ffff"]
    texts = sorted(
        {"", "\ue000", *(text for one in rare for text in (one, one + "x", "x" + one, one * 2))}
    )
    ids = dict(zip(texts, enroll_with(gallery, [{"k": text} for text in texts]), strict=True))
    for one in rare:
        for condition, found in (
            (Condition("k", prefix=one), {text for text in texts if text.startswith(one)}),
            (Condition("k", suffix=one), {text for text in texts if text.endswith(one)}),
        ):
            assert matching(gallery, condition) == {ids[text] for text in found}


def test_long_texts_and_keys_are_kept_and_not_looked_at(gallery: Gallery) -> None:
    longest, too_long = "😀" * MAX_TEXT_LENGTH, "😀" * (MAX_TEXT_LENGTH + 1)
    key, long_key = "k" * MAX_KEY_LENGTH, "k" * (MAX_KEY_LENGTH + 1)
    shown, hidden, unnamed = enroll_with(
        gallery, [{key: longest}, {key: too_long}, {long_key: "a"}]
    )
    for condition in (
        Condition(key, (longest, too_long)),
        Condition(key, prefix="😀"),
        Condition(key, suffix="😀"),
    ):
        assert matching(gallery, condition) == {shown}
    assert matching(gallery, Condition(key, prefix=too_long)) == set()
    assert matching(gallery, Condition(long_key, ("a",))) == set()
    assert gallery.people.get(COLLECTION, hidden).attributes == {key: too_long}
    assert gallery.people.get(COLLECTION, unnamed).attributes == {long_key: "a"}


@sqlite_only
def test_nobody_has_one_of_no_values_or_an_unknown_key(gallery: Gallery) -> None:
    enroll_with(gallery, [{"k": "a"}, {}])
    assert matching(gallery, Condition("k", ())) == set()
    assert matching(gallery, Condition("unknown", ("a",))) == set()
    assert matching(gallery, Condition("K", ("a",))) == set()


@sqlite_only
def test_all_conditions_must_hold(gallery: Gallery) -> None:
    people = [{"site": site, "floor": floor} for site in ("berlin", "bern") for floor in (1, 2)]
    ids = enroll_with(gallery, people)
    berlin, first = Condition("site", ("berlin",)), Condition("floor", (1,))
    assert matching(gallery, berlin, first) == {ids[0]}
    assert matching(gallery, Condition("site", prefix="ber", suffix="n")) == set(ids)
    assert matching(gallery, Condition("site", ("berlin", "bern"), prefix="bern")) == set(ids[2:])
    assert matching(gallery, berlin, Condition("site", ("bern",))) == set()


@sqlite_only
def test_people_may_be_asked_for_by_their_ids(gallery: Gallery) -> None:
    ids = enroll_with(gallery, [{"k": number % 2} for number in range(4)])
    gallery.collections.create("staff", None)
    (foreign,) = enroll_with(gallery, [{"k": 1}], collection="staff")
    even = (Condition("k", (0,)),)
    for asked, conditions, expected in (
        ((ids[0], ids[1]), (), {ids[0], ids[1]}),
        ((ids[0], ids[1]), even, {ids[0]}),
        ((ids[2], ids[2], "unknown", foreign), (), {ids[2]}),
        (("unknown", foreign), (), set()),
        ((), (), set()),
    ):
        wanted = PeopleFilter(conditions, identity_ids=asked)
        assert set(found_ids(gallery, PROBE, wanted=wanted)) == expected


@sqlite_only
def test_filter_looks_at_its_own_collection_only(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    (here,) = enroll_with(gallery, [{"k": "a"}])
    (there,) = enroll_with(gallery, [{"k": "a"}], collection="staff")
    condition = Condition("k", ("a",))
    assert matching(gallery, condition) == {here}
    assert matching(gallery, condition, collection="staff") == {there}


def rows(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return sorted((row.key, row.value) for row in session.query(AttributeTable))


def test_change_of_attributes_is_what_filters_see_from_then_on(
    gallery: Gallery, database: Database
) -> None:
    identity, _ = gallery.people.enroll(
        COLLECTION, NewIdentity(attributes={"a": 1, "b": "x"}), [new_face(PROBE)]
    )
    enroll(gallery, PROBE)
    gallery.people.update(COLLECTION, identity.id, IdentityChanges(name="Ada"))
    assert matching(gallery, Condition("a", (1,)), Condition("b", ("x",))) == {identity.id}
    gallery.people.update(
        COLLECTION, identity.id, IdentityChanges(attributes={"b": "y", "c": True})
    )
    assert rows(database) == [("b", "s:y"), ("c", "b:true")]
    for gone in (Condition("a", (1,)), Condition("b", ("x",))):
        assert matching(gallery, gone) == set()
    assert matching(gallery, Condition("b", suffix="y"), Condition("c", (True,))) == {identity.id}
    gallery.people.update(COLLECTION, identity.id, IdentityChanges(attributes={}))
    assert rows(database) == []
    assert matching(gallery, Condition("b", suffix="y")) == set()


@sqlite_only
def test_deleted_people_leave_no_attributes_behind(gallery: Gallery, database: Database) -> None:
    gallery.collections.create("staff", None)
    gone, kept = enroll_with(gallery, [{"k": "gone"}, {"k": "kept"}])
    enroll_with(gallery, [{"k": "elsewhere"}], collection="staff")
    gallery.people.delete(COLLECTION, gone)
    gallery.collections.delete("staff")
    assert rows(database) == [("k", "s:kept")]
    assert matching(gallery, Condition("k", prefix="")) == {kept}


@sqlite_only
def test_refused_change_leaves_the_attributes_as_they_were(
    gallery: Gallery, database: Database
) -> None:
    gallery.people.enroll(COLLECTION, NewIdentity(external_id="taken"), [])
    (identity_id,) = enroll_with(gallery, [{"k": "a"}])
    changes = IdentityChanges(attributes={"k": "b"}, external_id="taken")
    with pytest.raises(ExternalIdTaken):
        gallery.people.update(COLLECTION, identity_id, changes)
    assert rows(database) == [("k", "s:a")]
