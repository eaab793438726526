"""Collections: made, listed, deleted, and strictly apart from one another."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.errors import CollectionExists, CollectionNotFound, InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.records import IdentityChanges, IdentityFilter, NewIdentity
from app.gallery.store.database import Database
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    all_pages,
    compare,
    count_rows,
    enroll,
    found_ids,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def test_opened_gallery_has_an_empty_default_collection(gallery: Gallery) -> None:
    collection = gallery.collections.get(COLLECTION)
    assert (collection.identity_count, collection.face_count, collection.revision) == (0, 0, 0)
    assert gallery.collections.page(limit=10, cursor=None).items == (collection,)
    assert gallery.sync.face_count() == 0


def test_opening_again_keeps_what_is_there(open_gallery: OpenGallery) -> None:
    first = open_gallery()
    enroll(first, PROBE)
    before = first.collections.get(COLLECTION)
    assert open_gallery().collections.page(limit=10, cursor=None).items == (before,)


def test_created_collection_is_as_asked_and_belongs_to_the_network(gallery: Gallery) -> None:
    made = gallery.collections.create("staff", "Whoever has a badge — 職員")
    assert (made.name, made.description) == ("staff", "Whoever has a badge — 職員")
    assert (made.embedder, made.digest, made.dimension) == (
        MODEL.name,
        MODEL.digest,
        MODEL.dimension,
    )
    assert (made.identity_count, made.face_count, made.revision) == (0, 0, 0)
    assert made.created_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    assert gallery.collections.get("staff") == made
    gallery.collections.require("staff")


def test_collection_without_description_has_none(gallery: Gallery) -> None:
    assert gallery.collections.create("plain", None).description is None
    assert gallery.collections.get("plain").description is None


def test_second_collection_of_a_name_is_refused(gallery: Gallery) -> None:
    made = gallery.collections.create("staff", "the first")
    with pytest.raises(CollectionExists, match="staff"):
        gallery.collections.create("staff", "the second")
    assert gallery.collections.get("staff") == made


def test_names_differ_by_case(gallery: Gallery) -> None:
    gallery.collections.create("Staff", None)
    gallery.collections.create("staff", None)
    gallery.collections.delete("staff")
    assert gallery.collections.get("Staff").name == "Staff"


def test_pages_hold_every_collection_once_and_in_order(gallery: Gallery) -> None:
    names = ["default", "zeta", "alpha", "mid", "beta", "omega", "kappa"]
    for name in names[1:]:
        gallery.collections.create(name, None)
    for limit in (1, 2, 3, 7, 100):
        pages = all_pages(
            partial(
                lambda limit, cursor: gallery.collections.page(limit=limit, cursor=cursor), limit
            )
        )
        assert [item.name for page in pages for item in page] == names
        assert len(pages) == -(-len(names) // limit)


def test_collections_are_found_by_the_beginning_of_their_names(gallery: Gallery) -> None:
    for name in ("Staff", "staff_2", "staffing", "lobby-staff"):
        gallery.collections.create(name, None)

    def found(prefix: str) -> list[list[str]]:
        pages = all_pages(lambda cursor: gallery.collections.page(prefix, limit=2, cursor=cursor))
        return [[item.name for item in page] for page in pages]

    assert found("STAFF") == [["Staff", "staff_2"], ["staffing"]]
    assert found("staff_") == [["staff_2"]]  # no pattern of LIKE
    assert found("%") == [[]]


def test_made_up_cursor_is_an_invalid_request(gallery: Gallery) -> None:
    for cursor in (
        "garbage",
        "",
        "!!!",
        "ééé",
        "LTE",
        "A" * 10_000,
        "MTAwMDAwMDAwMDAwMDAwMDAwMDAw",
    ):
        with pytest.raises(InvalidRequest, match="cursor"):
            gallery.collections.page(limit=10, cursor=cursor)


def test_counts_are_those_of_the_collection_alone(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    enroll(gallery, *unit_vectors(3, seed=2), collection="staff")
    enroll(gallery, collection="staff")
    enroll(gallery, PROBE)
    staff, default = gallery.collections.get("staff"), gallery.collections.get(COLLECTION)
    assert (staff.identity_count, staff.face_count) == (2, 3)
    assert (default.identity_count, default.face_count) == (1, 1)
    assert gallery.collections.page(limit=10, cursor=None).items == (default, staff)
    assert gallery.sync.face_count() == 4


def test_people_are_found_in_their_own_collection_only(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    identity, _ = enroll(gallery, PROBE, collection="staff")
    assert found_ids(gallery, PROBE, collection="staff") == [identity.id]
    assert found_ids(gallery, PROBE) == []


def test_deleted_collection_leaves_no_row_and_no_other_is_touched(
    gallery: Gallery, database: Database
) -> None:
    kept, _ = enroll(gallery, PROBE)
    before = count_rows(database)
    gallery.collections.create("staff", None)
    for seed in range(3):
        enroll(gallery, *unit_vectors(2, seed=seed), collection="staff")
    assert count_rows(database) != before
    gallery.collections.delete("staff")
    assert count_rows(database) == before
    assert gallery.sync.face_count() == 1
    assert found_ids(gallery, PROBE) == [kept.id]
    with pytest.raises(CollectionNotFound):
        gallery.collections.get("staff")
    with pytest.raises(CollectionNotFound):
        gallery.collections.delete("staff")


def test_collection_made_again_under_its_old_name_starts_empty(gallery: Gallery) -> None:
    gallery.collections.create("staff", "old")
    enroll(gallery, PROBE, collection="staff")
    gallery.collections.delete("staff")
    made = gallery.collections.create("staff", None)
    assert (made.description, made.identity_count, made.face_count, made.revision) == (
        None,
        0,
        0,
        0,
    )
    assert found_ids(gallery, PROBE, collection="staff") == []
    identity, _ = enroll(gallery, -PROBE, collection="staff")
    assert found_ids(gallery, PROBE, collection="staff") == [identity.id]
    assert gallery.sync.face_count() == 1


def test_deleted_default_collection_is_there_again_at_once_and_empty(
    open_gallery: OpenGallery,
) -> None:
    first, second = open_gallery(), open_gallery()
    enroll(first, PROBE)
    assert len(found_ids(second, PROBE)) == 1
    first.collections.delete(COLLECTION)
    for process in (first, second):
        collection = process.collections.get(COLLECTION)
        assert (collection.identity_count, collection.face_count) == (0, 0)
        assert found_ids(process, PROBE) == []


def test_unknown_collection_is_said_to_be_unknown(gallery: Gallery) -> None:
    uses: list[Callable[[str], object]] = [
        gallery.collections.get,
        gallery.collections.require,
        gallery.collections.delete,
        lambda name: gallery.people.enroll(name, NewIdentity(), []),
        lambda name: gallery.people.get(name, "x"),
        lambda name: gallery.people.page(name, IdentityFilter(), limit=1, cursor=None),
        lambda name: gallery.people.update(name, "x", IdentityChanges()),
        lambda name: gallery.people.delete(name, "x"),
        lambda name: gallery.faces.add(name, "x", []),
        lambda name: gallery.faces.page(name, "x", limit=1, cursor=None),
        lambda name: gallery.faces.delete(name, "x", "y"),
        lambda name: search_people(gallery, name, [PROBE], top_k=1),
        lambda name: compare(gallery, name, "x", PROBE),
        lambda name: gallery.faces.enrolled_images(name, "x"),
        lambda name: gallery.faces.probe_of(name, "y"),
    ]
    for use in uses:
        with pytest.raises(CollectionNotFound, match="nowhere"):
            use("nowhere")
