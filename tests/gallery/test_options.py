"""Options of collections: kept as JSON, read whatever version wrote them."""

from threading import Thread

from app.gallery.collection_options import (
    DEFAULT_OPTIONS,
    CollectionOptions,
    DecisionOptions,
    UnknownOptions,
    from_json,
    patched,
)
from app.gallery.gallery import Gallery
from app.gallery.records import CollectionChanges
from tests.gallery.factories import COLLECTION


def test_options_are_those_of_the_service_until_changed(gallery: Gallery) -> None:
    assert gallery.collections.get(COLLECTION).options == DEFAULT_OPTIONS


def test_what_another_version_wrote_is_passed_over() -> None:
    stored = {"decisions": {"margin": 0.1, "later": 1}, "later": {"a": 1}}
    assert from_json(stored) == CollectionOptions(DecisionOptions(margin=0.1))
    # ... and is still there for it after a change.
    assert patched(stored, {"unknowns": {"keep": True}})["later"] == {"a": 1}
    assert patched(stored, {"decisions": {"margin": None}})["decisions"] == {"later": 1}


def test_two_changes_at_once_are_both_kept(gallery: Gallery) -> None:
    def change(group: str, **options: object) -> None:
        gallery.collections.update(COLLECTION, CollectionChanges(options={group: options}))

    for _ in range(5):
        gallery.collections.update(
            COLLECTION,
            CollectionChanges(options={"decisions": {"margin": None}, "unknowns": {"keep": None}}),
        )
        threads = [
            Thread(target=change, args=("decisions",), kwargs={"margin": 0.1}),
            Thread(target=change, args=("unknowns",), kwargs={"keep": True}),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert gallery.collections.get(COLLECTION).options == CollectionOptions(
            DecisionOptions(margin=0.1), UnknownOptions(keep=True)
        )
