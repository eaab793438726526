"""The collection of a request that names none: that of its key."""

from app.api.edge.callers import Caller
from app.errors import CollectionUndecided
from app.gallery.default_collection import DEFAULT_COLLECTION


def collection_of(caller: Caller) -> str:
    """Return the collection that a caller acts in: the only one of their key, else `default`.

    Raises CollectionUndecided for a key of several collections of which none is `default`.
    """
    bound = caller.collections
    if bound is not None and len(bound) == 1:
        return bound[0]
    if caller.sees(DEFAULT_COLLECTION):
        return DEFAULT_COLLECTION
    what = "several collections" if bound else "no collection"
    raise CollectionUndecided(f"this key may act in {what}, and a request of this API names none")
