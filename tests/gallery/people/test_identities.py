"""Identities: enrolled, listed, changed and deleted."""

from collections.abc import Callable
from datetime import UTC

import pytest

from app.errors import ExternalIdTaken, IdentityNotFound, InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.records import (
    Identity,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    PersonLabel,
)
from app.gallery.store.database import Database
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    compare,
    count_rows,
    enroll,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def create(gallery: Gallery, new: NewIdentity, *, collection: str = COLLECTION) -> Identity:
    identity, faces = gallery.people.enroll(collection, new, [])
    assert faces == ()
    return identity


def test_enrolled_person_is_as_asked(gallery: Gallery) -> None:
    new = NewIdentity(name="Ada", external_id="emp-1", attributes={"team": "engines"})
    identity, faces = gallery.people.enroll(
        COLLECTION, new, [new_face(vector) for vector in unit_vectors(3, seed=1)]
    )
    assert (identity.name, identity.external_id, identity.attributes, identity.face_count) == (
        "Ada",
        "emp-1",
        {"team": "engines"},
        3,
    )
    assert len(faces) == 3
    assert identity.created_at.tzinfo is UTC
    assert identity.updated_at.tzinfo is UTC
    assert gallery.people.get(COLLECTION, identity.id) == identity


def test_person_may_have_neither_name_nor_key_nor_face(gallery: Gallery) -> None:
    first, second = create(gallery, NewIdentity()), create(gallery, NewIdentity())
    assert (first.name, first.external_id, first.attributes, first.face_count) == (
        None,
        None,
        {},
        0,
    )
    assert first.id != second.id
    assert found_ids(gallery, PROBE) == []


def test_any_composed_text_is_kept_as_it_is(gallery: Gallery) -> None:
    texts = [
        "Bjørk Guðmundsdóttir",
        "山田 太郎",
        "👩🏽‍🚀",
        "مريم",
        "Zoë",
        "zoë",
        "Robert'); DROP TABLE faces;--",
        "100%_\\",
        "100%",
        " \t\n",
        " ",
        "x" * 256,
        "😀" * 256,
    ]
    made = {
        text: create(
            gallery, NewIdentity(name=text, external_id=text, attributes={text: [text, None]})
        )
        for text in texts
    }
    for text, identity in made.items():
        assert (identity.name, identity.external_id) == (text, text)
        assert identity.attributes == {text: [text, None]}
        assert gallery.people.get(COLLECTION, identity.id) == identity
        for wanted in (IdentityFilter(name=text), IdentityFilter(external_id=text)):
            page = gallery.people.page(COLLECTION, wanted, limit=10, cursor=None)
            assert page.items == (identity,)


def test_attributes_come_back_with_their_types(gallery: Gallery) -> None:
    attributes = {
        "nothing": None,
        "yes": True,
        "whole": 2**53,
        "real": 0.1,
        "text": "ä",
        "list": [1, "2", [3.5, {}], []],
        "object": {"a": {"b": [False]}},
    }
    identity = create(gallery, NewIdentity(attributes=attributes))
    kept = gallery.people.get(COLLECTION, identity.id).attributes
    assert kept == attributes
    assert kept["yes"] is True
    assert isinstance(kept["whole"], int)


def test_pages_hold_every_person_once_and_in_order(gallery: Gallery) -> None:
    made = [enroll(gallery, *unit_vectors(count % 3, seed=count))[0] for count in range(9)]
    for limit in (1, 4, 5, 9, 100):
        assert all_identities(gallery, limit=limit) == made


def test_last_page_has_no_cursor(gallery: Gallery) -> None:
    for _ in range(4):
        enroll(gallery)
    page = gallery.people.page(COLLECTION, IdentityFilter(), limit=4, cursor=None)
    assert (len(page.items), page.next_cursor) == (4, None)


def test_paging_goes_on_after_the_person_at_the_cursor_was_deleted(gallery: Gallery) -> None:
    made = [enroll(gallery)[0] for _ in range(4)]
    page = gallery.people.page(COLLECTION, IdentityFilter(), limit=2, cursor=None)
    gallery.people.delete(COLLECTION, made[1].id)
    rest = gallery.people.page(COLLECTION, IdentityFilter(), limit=10, cursor=page.next_cursor)
    assert rest.items == tuple(made[2:])


def test_pages_of_a_filtered_list_hold_only_what_was_asked_for(gallery: Gallery) -> None:
    anna = [create(gallery, NewIdentity(name="Anna")) for _ in range(3)]
    for name in ("anna", "Anna ", "Ann", None):
        create(gallery, NewIdentity(name=name))
    anna.append(create(gallery, NewIdentity(name="Anna")))
    wanted = IdentityFilter(name="Anna")
    first = gallery.people.page(COLLECTION, wanted, limit=3, cursor=None)
    second = gallery.people.page(COLLECTION, wanted, limit=3, cursor=first.next_cursor)
    assert first.items + second.items == tuple(anna)
    assert second.next_cursor is None


def test_pages_by_number_know_how_long_the_list_is(gallery: Gallery) -> None:
    for name in ("Anna", "Bert", "Anna", "Cleo", "Anna"):
        create(gallery, NewIdentity(name=name))
    wanted = IdentityFilter(name="Anna")
    pages = [gallery.people.numbered(COLLECTION, wanted, page=page, size=2) for page in range(3)]
    by_cursor = gallery.people.page(COLLECTION, wanted, limit=9, cursor=None).items
    assert pages[0].items + pages[1].items + pages[2].items == by_cursor
    assert [len(page.items) for page in pages] == [2, 1, 0]
    assert [page.total_count for page in pages] == [3, 3, 3]
    assert gallery.people.count(COLLECTION, wanted) == 3
    assert gallery.people.count(COLLECTION, IdentityFilter()) == 5


def test_labels_are_those_of_all_people(gallery: Gallery) -> None:
    gallery.collections.create("other", None)
    create(gallery, NewIdentity(name="Eve"), collection="other")
    made = [create(gallery, NewIdentity(name, key)) for name, key in (("Ada", "a"), (None, None))]
    assert gallery.people.labels(COLLECTION) == tuple(
        PersonLabel(one.id, one.name, one.external_id) for one in made
    )


def test_filters_are_joined_by_and(gallery: Gallery) -> None:
    wanted = create(gallery, NewIdentity(name="Anna", external_id="a"))
    create(gallery, NewIdentity(name="Anna", external_id="b"))

    def listed(name: str, external_id: str) -> tuple[Identity, ...]:
        both = IdentityFilter(name=name, external_id=external_id)
        return gallery.people.page(COLLECTION, both, limit=9, cursor=None).items

    assert listed("Anna", "a") == (wanted,)
    assert listed("Bert", "a") == ()


def test_made_up_cursor_is_an_invalid_request(gallery: Gallery) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        gallery.people.page(COLLECTION, IdentityFilter(), limit=1, cursor="garbage")


def test_what_a_change_leaves_out_stays(gallery: Gallery) -> None:
    new = NewIdentity(name="Ada", external_id="emp-1", attributes={"team": "engines"})
    identity = create(gallery, new)
    assert gallery.people.update(COLLECTION, identity.id, IdentityChanges()) == identity
    changed = gallery.people.update(COLLECTION, identity.id, IdentityChanges(name="Ada L."))
    assert (changed.name, changed.external_id, changed.attributes) == (
        "Ada L.",
        "emp-1",
        {"team": "engines"},
    )
    assert changed.updated_at > identity.updated_at
    assert changed.created_at == identity.created_at
    assert gallery.people.get(COLLECTION, identity.id) == changed


def test_null_empties_name_and_key(gallery: Gallery) -> None:
    identity = create(gallery, NewIdentity(name="Ada", external_id="emp-1", attributes={"a": 1}))
    changed = gallery.people.update(
        COLLECTION, identity.id, IdentityChanges(name=None, external_id=None)
    )
    assert (changed.name, changed.external_id, changed.attributes) == (None, None, {"a": 1})
    assert gallery.people.get(COLLECTION, identity.id) == changed


def test_new_attributes_replace_the_old_ones(gallery: Gallery) -> None:
    identity = create(gallery, NewIdentity(name="Ada", attributes={"a": 1, "b": 2}))
    changed = gallery.people.update(COLLECTION, identity.id, IdentityChanges(attributes={"b": 3}))
    assert (changed.attributes, changed.name) == ({"b": 3}, "Ada")
    emptied = gallery.people.update(COLLECTION, identity.id, IdentityChanges(attributes={}))
    assert emptied.attributes == {}
    assert gallery.people.get(COLLECTION, identity.id) == emptied


def test_renamed_person_is_found_under_the_new_name(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE, name="Ada")
    gallery.people.update(COLLECTION, identity.id, IdentityChanges(name="Ada L."))
    ((found,),) = search_people(gallery, COLLECTION, [PROBE], top_k=1)
    assert (found.identity.id, found.identity.name) == (identity.id, "Ada L.")


def test_taken_key_is_refused_and_nobody_is_enrolled(gallery: Gallery, database: Database) -> None:
    create(gallery, NewIdentity(external_id="emp-1"))
    before = count_rows(database)
    with pytest.raises(ExternalIdTaken, match="emp-1"):
        gallery.people.enroll(COLLECTION, NewIdentity(external_id="emp-1"), [new_face(PROBE)])
    assert count_rows(database) == before
    assert found_ids(gallery, PROBE) == []


def test_change_to_a_taken_key_changes_nothing(gallery: Gallery) -> None:
    create(gallery, NewIdentity(external_id="emp-1"))
    identity = create(gallery, NewIdentity(external_id="emp-2", name="Ada"))
    with pytest.raises(ExternalIdTaken, match="emp-1"):
        gallery.people.update(
            COLLECTION, identity.id, IdentityChanges(name="Eve", external_id="emp-1")
        )
    assert gallery.people.get(COLLECTION, identity.id) == identity


def test_own_key_may_be_given_again(gallery: Gallery) -> None:
    identity = create(gallery, NewIdentity(external_id="emp-1"))
    changed = gallery.people.update(
        COLLECTION, identity.id, IdentityChanges(external_id="emp-1", name="Ada")
    )
    assert (changed.external_id, changed.name) == ("emp-1", "Ada")


def test_key_is_free_again_once_its_owner_is_deleted_or_gave_it_up(gallery: Gallery) -> None:
    first = create(gallery, NewIdentity(external_id="emp-1"))
    gallery.people.delete(COLLECTION, first.id)
    second = create(gallery, NewIdentity(external_id="emp-1"))
    gallery.people.update(COLLECTION, second.id, IdentityChanges(external_id="emp-2"))
    third = create(gallery, NewIdentity(external_id="emp-1"))
    assert len({first.id, second.id, third.id}) == 3


def test_another_collection_may_use_the_same_key(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    here = create(gallery, NewIdentity(external_id="emp-1"))
    there = create(gallery, NewIdentity(external_id="emp-1"), collection="staff")
    wanted = IdentityFilter(external_id="emp-1")
    page = gallery.people.page("staff", wanted, limit=10, cursor=None)
    assert page.items == (there,)
    assert there.id != here.id


def test_deleted_person_leaves_no_face_behind(gallery: Gallery, database: Database) -> None:
    kept, _ = enroll(gallery, -PROBE)
    before = count_rows(database)
    gone, faces = enroll(gallery, PROBE, *unit_vectors(4, seed=2))
    gallery.people.delete(COLLECTION, gone.id)
    after = count_rows(database)
    assert (after["identities"], after["faces"]) == (before["identities"], before["faces"])
    assert found_ids(gallery, PROBE) == [kept.id]
    assert gallery.sync.face_count() == 1
    assert all_identities(gallery) == [kept]
    assert faces


def test_deleted_person_is_never_identified_again(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE)
    assert found_ids(gallery, PROBE) == [identity.id]
    gallery.people.delete(COLLECTION, identity.id)
    assert found_ids(gallery, PROBE) == []
    again, _ = enroll(gallery, PROBE)
    assert found_ids(gallery, PROBE) == [again.id]
    assert again.id != identity.id


def test_unknown_deleted_and_foreign_people_are_not_found(
    gallery: Gallery, database: Database
) -> None:
    gallery.collections.create("staff", None)
    foreign, _ = enroll(gallery, PROBE, collection="staff")
    deleted, _ = enroll(gallery)
    gallery.people.delete(COLLECTION, deleted.id)
    before = count_rows(database), gallery.collections.get(COLLECTION)
    uses: list[Callable[[str], object]] = [
        lambda person: gallery.people.get(COLLECTION, person),
        lambda person: gallery.people.update(COLLECTION, person, IdentityChanges(name="x")),
        lambda person: gallery.people.delete(COLLECTION, person),
        lambda person: gallery.faces.add(COLLECTION, person, [new_face(PROBE)]),
        lambda person: gallery.faces.page(COLLECTION, person, limit=1, cursor=None),
        lambda person: gallery.faces.delete(COLLECTION, person, "x"),
        lambda person: compare(gallery, COLLECTION, person, PROBE),
        lambda person: gallery.faces.enrolled_images(COLLECTION, person),
    ]
    for use in uses:
        for person in ("unknown", "", deleted.id, foreign.id):
            with pytest.raises(IdentityNotFound):
                use(person)
    assert (count_rows(database), gallery.collections.get(COLLECTION)) == before
    assert gallery.people.get("staff", foreign.id) == foreign
