"""Collections: made, listed, deleted, and strictly apart from one another."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from app.errors import CollectionExists, CollectionNotFound, InvalidRequest
from app.gallery.records import IdentityChanges, IdentityFilter, NewIdentity
from app.gallery.service import Gallery
from app.gallery.store.database import Database
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    all_pages,
    count_rows,
    enroll,
    found_ids,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def test_opened_gallery_has_an_empty_default_collection(gallery: Gallery) -> None:
    collection = gallery.get_collection(COLLECTION)
    assert (collection.identity_count, collection.face_count, collection.revision) == (0, 0, 0)
    assert gallery.list_collections(limit=10, cursor=None).items == (collection,)
    assert gallery.indexed_faces() == 0


def test_opening_again_keeps_what_is_there(open_gallery: OpenGallery) -> None:
    first = open_gallery()
    enroll(first, PROBE)
    before = first.get_collection(COLLECTION)
    assert open_gallery().list_collections(limit=10, cursor=None).items == (before,)


def test_created_collection_is_as_asked_and_belongs_to_the_network(gallery: Gallery) -> None:
    made = gallery.create_collection("staff", "Whoever has a badge — 職員")
    assert (made.name, made.description) == ("staff", "Whoever has a badge — 職員")
    assert (made.embedder, made.digest, made.dimension) == (
        MODEL.name,
        MODEL.digest,
        MODEL.dimension,
    )
    assert (made.identity_count, made.face_count, made.revision) == (0, 0, 0)
    assert made.created_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    assert gallery.get_collection("staff") == made
    gallery.require_collection("staff")


def test_collection_without_description_has_none(gallery: Gallery) -> None:
    assert gallery.create_collection("plain", None).description is None
    assert gallery.get_collection("plain").description is None


def test_second_collection_of_a_name_is_refused(gallery: Gallery) -> None:
    made = gallery.create_collection("staff", "the first")
    with pytest.raises(CollectionExists, match="staff"):
        gallery.create_collection("staff", "the second")
    assert gallery.get_collection("staff") == made


def test_names_differ_by_case(gallery: Gallery) -> None:
    gallery.create_collection("Staff", None)
    gallery.create_collection("staff", None)
    gallery.delete_collection("staff")
    assert gallery.get_collection("Staff").name == "Staff"


def test_pages_hold_every_collection_once_and_in_order(gallery: Gallery) -> None:
    names = ["default", "zeta", "alpha", "mid", "beta", "omega", "kappa"]
    for name in names[1:]:
        gallery.create_collection(name, None)
    for limit in (1, 2, 3, 7, 100):
        pages = all_pages(
            partial(
                lambda limit, cursor: gallery.list_collections(limit=limit, cursor=cursor), limit
            )
        )
        assert [item.name for page in pages for item in page] == names
        assert len(pages) == -(-len(names) // limit)


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
            gallery.list_collections(limit=10, cursor=cursor)


def test_counts_are_those_of_the_collection_alone(gallery: Gallery) -> None:
    gallery.create_collection("staff", None)
    enroll(gallery, *unit_vectors(3, seed=2), collection="staff")
    enroll(gallery, collection="staff")
    enroll(gallery, PROBE)
    staff, default = gallery.get_collection("staff"), gallery.get_collection(COLLECTION)
    assert (staff.identity_count, staff.face_count) == (2, 3)
    assert (default.identity_count, default.face_count) == (1, 1)
    assert gallery.list_collections(limit=10, cursor=None).items == (default, staff)
    assert gallery.indexed_faces() == 4


def test_people_are_found_in_their_own_collection_only(gallery: Gallery) -> None:
    gallery.create_collection("staff", None)
    identity, _ = enroll(gallery, PROBE, collection="staff")
    assert found_ids(gallery, PROBE, collection="staff") == [identity.id]
    assert found_ids(gallery, PROBE) == []


def test_deleted_collection_leaves_no_row_and_no_other_is_touched(
    gallery: Gallery, database: Database
) -> None:
    kept, _ = enroll(gallery, PROBE)
    before = count_rows(database)
    gallery.create_collection("staff", None)
    for seed in range(3):
        enroll(gallery, *unit_vectors(2, seed=seed), collection="staff")
    assert count_rows(database) != before
    gallery.delete_collection("staff")
    assert count_rows(database) == before
    assert gallery.indexed_faces() == 1
    assert found_ids(gallery, PROBE) == [kept.id]
    with pytest.raises(CollectionNotFound):
        gallery.get_collection("staff")
    with pytest.raises(CollectionNotFound):
        gallery.delete_collection("staff")


def test_collection_made_again_under_its_old_name_starts_empty(gallery: Gallery) -> None:
    gallery.create_collection("staff", "old")
    enroll(gallery, PROBE, collection="staff")
    gallery.delete_collection("staff")
    made = gallery.create_collection("staff", None)
    assert (made.description, made.identity_count, made.face_count, made.revision) == (
        None,
        0,
        0,
        0,
    )
    assert found_ids(gallery, PROBE, collection="staff") == []
    identity, _ = enroll(gallery, -PROBE, collection="staff")
    assert found_ids(gallery, PROBE, collection="staff") == [identity.id]
    assert gallery.indexed_faces() == 1


def test_deleted_default_collection_is_there_again_at_once_and_empty(
    open_gallery: OpenGallery,
) -> None:
    first, second = open_gallery(), open_gallery()
    enroll(first, PROBE)
    assert len(found_ids(second, PROBE)) == 1
    first.delete_collection(COLLECTION)
    for process in (first, second):
        collection = process.get_collection(COLLECTION)
        assert (collection.identity_count, collection.face_count) == (0, 0)
        assert found_ids(process, PROBE) == []


def test_unknown_collection_is_said_to_be_unknown(gallery: Gallery) -> None:
    uses: list[Callable[[str], object]] = [
        gallery.get_collection,
        gallery.require_collection,
        gallery.delete_collection,
        lambda name: gallery.create_identity(name, NewIdentity(), []),
        lambda name: gallery.get_identity(name, "x"),
        lambda name: gallery.list_identities(name, IdentityFilter(), limit=1, cursor=None),
        lambda name: gallery.update_identity(name, "x", IdentityChanges()),
        lambda name: gallery.delete_identity(name, "x"),
        lambda name: gallery.add_faces(name, "x", []),
        lambda name: gallery.list_faces(name, "x", limit=1, cursor=None),
        lambda name: gallery.delete_face(name, "x", "y"),
        lambda name: gallery.search(name, [PROBE], top_k=1),
        lambda name: gallery.compare(name, "x", PROBE),
        lambda name: gallery.enrolled_images(name, "x"),
        lambda name: gallery.probe_of(name, "y"),
    ]
    for use in uses:
        with pytest.raises(CollectionNotFound, match="nowhere"):
            use("nowhere")
