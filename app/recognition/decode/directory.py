"""Image file directories: the tables of tags of TIFF, EXIF and multi-picture files.

Values are read on demand, as thousands of tags may name the same megabytes.
"""

from dataclasses import dataclass
from typing import Final, Literal

Order = Literal["little", "big"]

TYPE_BYTES: Final = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
    16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Size of one value by its type (TIFF 6.0, section 2, and BigTIFF)."""
_INTEGERS: Final = frozenset({1, 3, 4, 13, 16, 18})


@dataclass(frozen=True, slots=True)
class Layout:
    """The byte order, and whether offsets have 8 bytes (BigTIFF) instead of 4."""

    order: Order
    big: bool

    @property
    def offset_bytes(self) -> int:
        return 8 if self.big else 4

    def number(self, data: bytes) -> int:
        return int.from_bytes(data, self.order)


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag, the type and number of its values, and the field that holds them or their offset."""

    tag: int
    kind: int
    count: int
    field: bytes

    @property
    def size_bytes(self) -> int:
        return TYPE_BYTES.get(self.kind, 1) * self.count


@dataclass(frozen=True, slots=True)
class Directory:
    entries: dict[int, Entry]
    next_at: int

    def number(self, tag: int, layout: Layout, default: int = 0) -> int:
        """The integer of a tag; the first one if it has several that fit into the entry."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS or entry.count < 1:
            return default
        return layout.number(entry.field[: TYPE_BYTES[entry.kind]])


def read_layout(block: bytes) -> tuple[Layout, int] | None:
    """The layout, and the place of the first directory; None where there is no header."""
    order: Order = "little" if block[:2] == b"II" else "big"
    if block[:4] in (b"II*\0", b"MM\0*"):
        return Layout(order, big=False), int.from_bytes(block[4:8], order)
    if block[:8] in (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"):
        return Layout(order, big=True), int.from_bytes(block[8:16], order)
    return None


def read_directory(block: bytes, start: int, layout: Layout, *, most_entries: int) -> Directory:
    """Read a directory's entries, up to `most_entries`; fewer where the block ends before."""
    count_bytes, entry_bytes = (8, 20) if layout.big else (2, 12)
    count = layout.number(block[start : start + count_bytes])
    first = start + count_bytes
    entries: dict[int, Entry] = {}
    for number in range(min(count, most_entries)):
        at = first + number * entry_bytes
        raw = block[at : at + entry_bytes]
        if len(raw) < entry_bytes:
            break
        field_at = entry_bytes - layout.offset_bytes
        tag = layout.number(raw[:2])
        kind, values = layout.number(raw[2:4]), layout.number(raw[4:field_at])
        entries.setdefault(tag, Entry(tag, kind, values, raw[field_at:]))
    end = first + count * entry_bytes
    return Directory(entries, layout.number(block[end : end + layout.offset_bytes]))


def value_of(block: bytes, entry: Entry, layout: Layout) -> bytes:
    """The bytes of an entry's values, fewer than `entry.size_bytes` where the block ends before."""
    if entry.size_bytes <= layout.offset_bytes:
        return entry.field[: entry.size_bytes]
    at = layout.number(entry.field)
    return block[at : at + entry.size_bytes]
