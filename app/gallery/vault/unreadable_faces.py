"""The faces of people whose encrypted embedding does not open, as far as this process read them."""

from collections.abc import Collection
from typing import Final

MOST: Final = 10_000
"""More are not counted, so that a damaged gallery does not fill the memory."""


class UnreadableFaces:
    """Ids of faces by collection number and the digest of the embedder. Thread-safe."""

    def __init__(self) -> None:
        self._rows: set[tuple[int, str, str]] = set()

    def note(self, collection_number: int, digest: str, face_id: str) -> None:
        if len(self._rows) < MOST:
            self._rows.add((collection_number, digest, face_id))

    def forget(self, collection_number: int, digest: str, face_ids: Collection[str]) -> None:
        self._rows.difference_update((collection_number, digest, one) for one in face_ids)

    def count(self, within: Collection[int] | None = None) -> int:
        """Return how many faces there are, at most `MOST`, in these collections; None: in all."""
        rows = self._rows.copy()
        return len({row[2] for row in rows if within is None or row[0] in within})

    def are_in(self, collection_number: int) -> bool:
        """Return whether a collection has any."""
        return any(number == collection_number for number, _, _ in self._rows.copy())

    def by_embedder(self) -> dict[tuple[int, str], set[str]]:
        """Return the ids by collection number and digest."""
        found: dict[tuple[int, str], set[str]] = {}
        for number, digest, face_id in self._rows.copy():
            found.setdefault((number, digest), set()).add(face_id)
        return found
