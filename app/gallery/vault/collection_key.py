"""The key of a collection at one generation, and the keys that are wrapped by it."""

from functools import cached_property

from app.gallery.vault.sealing import KeySealer, new_key, subkey


class CollectionKey:
    """A key of 32 bytes. It seals no data itself: each purpose has a subkey.

    `is_complete`: the collection has no embedding in the clear any more, and none is accepted.
    """

    def __init__(self, number: int, generation: int, key: bytes, *, is_complete: bool) -> None:
        self.number = number
        self.generation = generation
        self.is_complete = is_complete
        self.key = key

    @classmethod
    def make(cls, number: int, generation: int, *, is_complete: bool) -> "CollectionKey":
        return cls(number, generation, new_key(), is_complete=is_complete)

    @property
    def context(self) -> bytes:
        """What the wrapped key is bound to."""
        return context_of(self.number, self.generation, is_complete=self.is_complete)

    @cached_property
    def people(self) -> KeySealer:
        """Wraps the keys of people."""
        return KeySealer(subkey(self.key, "people"))

    @cached_property
    def unknown_groups(self) -> KeySealer:
        """Wraps the keys of groups of unknown faces."""
        return KeySealer(subkey(self.key, "unknown groups"))

    def sealer(self, purpose: str) -> KeySealer:
        """Return what seals whole files of the collection, by purpose."""
        return KeySealer(subkey(self.key, f"files: {purpose}"))


def context_of(number: int, generation: int, *, is_complete: bool) -> bytes:
    """Return what a wrapped collection key is bound to: SQL alone cannot alter any of it."""
    return f"collection key:{number}:{generation}:{int(is_complete)}".encode()
