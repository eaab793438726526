"""What a process keeps of a collection is dropped as one."""

import numpy as np

from app.gallery.collection_state import CollectionStates
from app.gallery.gallery import Gallery
from app.gallery.store.database import Database
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, enroll, found_ids, unit_vector
from tests.gallery.unknowns.inboxes import THRESHOLD, new_inbox, sighting, wants_unknowns


def keys_of(gallery: Gallery) -> list[int]:
    return [number for (number, _), _ in gallery.states.items()]


def test_deleted_collection_leaves_nothing_in_any_process(
    open_gallery: OpenGallery, database: Database
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    ours.collections.create("visitors", None)
    wants_unknowns(ours, collection="visitors")
    for gallery in (ours, theirs):
        enroll(gallery, unit_vector(1), collection="visitors")
        found_ids(gallery, unit_vector(1), collection="visitors")
        inbox = new_inbox(database, gallery, states=gallery.states)
        inbox.keep("visitors", [sighting(unit_vector(2))], THRESHOLD)
    before = keys_of(ours)
    ours.collections.delete("visitors")
    theirs.sync.follow()
    assert keys_of(ours) == keys_of(theirs) == [before[0]]


def test_state_that_is_dropped_forgets_what_was_derived_and_counted(gallery: Gallery) -> None:
    enroll(gallery, unit_vector(1))
    with gallery.store.reading(COLLECTION) as transaction:
        collection = transaction.collection
    state = gallery.states.of(collection)
    state.derive(str, "first", "made of the first")
    assert state.derived(str, "first") == "made of the first"
    assert state.derived(str, "second") is None
    assert state.derived(int, "first") is None
    gallery.sync.forget(collection.number)
    assert gallery.states.of(collection) is not state
    assert gallery.states.of(collection).derived(str, "first") is None
    assert len(found_ids(gallery, unit_vector(1))) == 1


def test_state_is_found_by_name_until_it_is_dropped() -> None:
    states = CollectionStates()
    states.note_name("visitors", (1, "a")).derive(str, "v", "policy")
    found = states.named("visitors")
    assert found is states.at((1, "a"))
    assert found.latest(str) == "policy"
    assert found.latest(int) is None
    states.drop_collection(1)
    assert states.named("visitors") is None
    states.note_name("visitors", (2, "a"))
    states.forget_name("visitors")
    assert states.named("visitors") is None


def test_state_of_each_embedder_is_its_own() -> None:
    states = CollectionStates()
    one, other = states.at((1, "a")), states.at((1, "b"))
    one.derive(np.ndarray, "v", np.zeros(1))
    assert other.derived(np.ndarray, "v") is None
    states.keep_only({(1, "b")})
    assert states.at((1, "b")) is other
    assert states.at((1, "a")) is not one
