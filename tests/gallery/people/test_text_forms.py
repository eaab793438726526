"""Names and keys in one Unicode form, and found by their beginning."""

import unicodedata

import pytest

from app.errors import ExternalIdTaken, IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import NewPerson
from app.gallery.people.identity_ref import by_external_id
from app.gallery.people.text_forms import caseless, folded
from app.gallery.records import (
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    PeopleFilter,
)
from tests.gallery.factories import COLLECTION, all_pages, found_ids, new_face, unit_vector


def decomposed(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    return apart


def listed(gallery: Gallery, wanted: IdentityFilter, *, limit: int = 2) -> list[str | None]:
    pages = all_pages(
        lambda cursor: gallery.people.page(COLLECTION, wanted, limit=limit, cursor=cursor)
    )
    return [identity.name for page in pages for identity in page]


def create(gallery: Gallery, name: str | None, external_id: str | None = None) -> str:
    return gallery.people.enroll(COLLECTION, NewIdentity(name, external_id), [])[0].id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MULLER"),
        (decomposed("Müller"), "muller"),
        ("Straße", "STRASSE"),
        ("Łukasz", "lukasz"),
        ("Søren Ærø", "soren aero"),
        ("İstanbul", "istanbul"),
        ("ısık", "ISIK"),  # noqa: RUF001  (dotless)
        ("ﬁnn", "Finn"),
        ("Ａｄａ", "ada"),  # noqa: RUF001  (full width, as from a Japanese keyboard)
        ("ΣΟΦΊΑΣ", "σοφιας"),
        ("Ёлкин", "елкин"),
    ],
)
def test_case_accents_and_width_do_not_count_in_folded_texts(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_letters_that_differ_are_not_folded_together() -> None:
    assert len({folded(name) for name in ("Müller", "Mller", "Moller", "Miller", "山田")}) == 5


def test_people_are_found_by_the_beginning_of_their_name(gallery: Gallery) -> None:
    for name in ("Müller", "MULLER-LÜDENSCHEIDT", "Muell", "Straße", "strasser", None, "amüller"):
        create(gallery, name)
    assert listed(gallery, IdentityFilter(name_prefix="mül")) == ["Müller", "MULLER-LÜDENSCHEIDT"]
    assert listed(gallery, IdentityFilter(name_prefix="STRASSE"), limit=1) == ["Straße", "strasser"]
    assert listed(gallery, IdentityFilter(name_prefix="x")) == []


@pytest.mark.parametrize("text", ["%", "_", "100%", "a_b", "\\", "'", "*", "?", "\U0010ffff"])
def test_wildcards_of_databases_are_plain_characters(gallery: Gallery, text: str) -> None:
    create(gallery, "100 per cent", "axb")
    create(gallery, f"{text} and more", f"{text}-key")
    assert listed(gallery, IdentityFilter(name_prefix=text)) == [f"{text} and more"]
    assert listed(gallery, IdentityFilter(external_id_prefix=text)) == [f"{text} and more"]
    assert listed(gallery, IdentityFilter(prefix=text)) == [f"{text} and more"]


def test_a_prefix_of_either_finds_names_and_keys_once_each(gallery: Gallery) -> None:
    create(gallery, "Anna", "ann-1")
    create(gallery, "Bob", "ANN-2")
    create(gallery, "Änne", None)
    create(gallery, "Carl", "c")
    assert listed(gallery, IdentityFilter(prefix="ann"), limit=1) == ["Anna", "Bob", "Änne"]
    assert listed(gallery, IdentityFilter(external_id_prefix="aNN")) == ["Anna", "Bob"]
    assert listed(gallery, IdentityFilter(prefix="ann", name="Bob")) == ["Bob"]


def test_names_are_found_as_they_are_after_a_change(gallery: Gallery) -> None:
    someone = create(gallery, "Ada", "1")
    gallery.people.update(COLLECTION, someone, IdentityChanges(name="Grâce", external_id=None))
    assert listed(gallery, IdentityFilter(name_prefix="grace")) == ["Grâce"]
    assert listed(gallery, IdentityFilter(name_prefix="ada")) == []
    assert listed(gallery, IdentityFilter(external_id_prefix="1")) == []


def test_the_longest_names_are_found(gallery: Gallery) -> None:
    longest = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 256  # 18 letters each, apart
    create(gallery, longest)
    assert listed(gallery, IdentityFilter(name_prefix=longest)) == [longest]
    assert listed(gallery, IdentityFilter(name_prefix=longest[:3])) == [longest]


def test_a_name_is_stored_composed_and_a_key_is_taken_in_either_form(gallery: Gallery) -> None:
    key = "zoë-1"
    create(gallery, decomposed("Zoë"), decomposed(key))
    assert listed(gallery, IdentityFilter(name="Zoë")) == ["Zoë"]
    assert listed(gallery, IdentityFilter(name=decomposed("Zoë"))) == ["Zoë"]
    assert listed(gallery, IdentityFilter(external_id=decomposed(key))) == ["Zoë"]
    assert gallery.people.ids_of(COLLECTION, [decomposed(key)]).keys() == {key}
    for form in (key, decomposed(key)):
        with pytest.raises(ExternalIdTaken):
            create(gallery, None, form)
        (outcome,) = gallery.people.enroll_many(
            COLLECTION, [NewPerson(NewIdentity(external_id=form), ())]
        )
        assert not outcome.enrolled


def test_attributes_stay_as_they_were_sent(gallery: Gallery) -> None:
    sent = {decomposed("größe"): decomposed("süß")}
    identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(attributes=sent), [])
    assert gallery.people.get(COLLECTION, identity.id).attributes == sent


def test_a_person_is_addressed_by_their_own_key(gallery: Gallery) -> None:
    key = "a/b c:ü%"
    identity, _ = gallery.people.enroll(
        COLLECTION, NewIdentity(external_id=key), [new_face(unit_vector(1))]
    )
    for form in (key, decomposed(key)):
        assert gallery.people.get(COLLECTION, by_external_id(form)).id == identity.id
    ref = by_external_id(key)
    assert len(gallery.faces.page(COLLECTION, ref, limit=9, cursor=None).items) == 1
    wanted = PeopleFilter(identity_ids=(ref, by_external_id("nobody")))
    assert found_ids(gallery, unit_vector(1), wanted=wanted) == [identity.id]
    assert gallery.people.delete(COLLECTION, ref).identity_ids == (identity.id,)
    with pytest.raises(IdentityNotFound, match="external_id 'a/b c:ü%'"):
        gallery.people.get(COLLECTION, ref)


def test_an_id_is_never_taken_for_a_key(gallery: Gallery) -> None:
    someone = create(gallery, "Ada", "1")
    create(gallery, "Eve", someone)  # whose key is Ada's id
    assert gallery.people.get(COLLECTION, someone).name == "Ada"
    assert gallery.people.get(COLLECTION, by_external_id(someone)).name == "Eve"


def test_names_are_found_in_any_case_and_accents_count(gallery: Gallery) -> None:
    for name in ("Müller", "MÜLLER", "Muller", "Müllers", None):
        create(gallery, name)
    create(gallery, "Straße", "Key-1")
    for asked in ("müller", decomposed("MÜLLER")):
        wanted = IdentityFilter(name=asked, any_case=True)
        assert listed(gallery, wanted, limit=1) == ["Müller", "MÜLLER"]
        assert gallery.people.count(COLLECTION, wanted) == 2
    assert listed(gallery, IdentityFilter(name="STRASSE", any_case=True)) == ["Straße"]
    assert listed(gallery, IdentityFilter(external_id="key-1", any_case=True)) == ["Straße"]
    assert listed(gallery, IdentityFilter(name="müller")) == []
    both = IdentityFilter(name="STRASSE", external_id="key-2", any_case=True)
    assert listed(gallery, both) == []


@pytest.mark.parametrize(
    "text", ["Ada", "İstanbul", "ΣΊΣΥΦΟΣ", "ﬁn", "Ω", "ß" * 256, "\u1e9e", "ᾳ\u0301", "ǰ"]
)
def test_every_case_of_a_text_has_one_folded_form_for_the_index(
    gallery: Gallery, text: str
) -> None:
    forms = {text, text.casefold()[:256], text.upper()[:256], text.lower()[:256]}
    for form in forms:
        if caseless(form) == caseless(text):
            create(gallery, form)
    same = [form for form in forms if caseless(form) == caseless(text)]
    assert len(listed(gallery, IdentityFilter(name=text, any_case=True))) == len(same)
