"""Snapshot files: what comes out is what went in, or nothing at all."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers, LocalIndex, Vectors
from app.gallery.sync import snapshot_file
from app.gallery.sync.snapshot_file import SnapshotUnusableError, Source
from app.gallery.sync.snapshot_keys import SnapshotKey
from app.gallery.sync.snapshots import SnapshotStore
from tests.gallery.factories import MODEL, OTHER_MODEL, unit_vectors
from tests.kit.exact_index import ExactIndex

SOURCE = Source(1, "2031-05-01T00:00:00+00:00", MODEL.name, MODEL.digest, MODEL.dimension)
VECTORS = unit_vectors(40, seed=1)
PIECE = 4


class InPieces(ExactIndex):
    """Copies itself out in pieces of any size, of rows that may come again."""

    def __init__(self, *pieces: list[int]) -> None:
        super().__init__(MODEL.dimension)
        self._pieces = pieces

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        for piece in self._pieces:
            yield np.array(piece, dtype=np.int64), VECTORS[piece]


class Breaks(InPieces):
    """Fails when it has copied out all it has."""

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        yield from super().pieces()
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_file, "_PIECE_ROWS", PIECE)


class KeysInMemory:
    """Keys of snapshots that all stores of a test share, as a database's are."""

    def __init__(self) -> None:
        self.on = True
        self.keys: dict[tuple[int, str], dict[str, SnapshotKey]] = {}
        """By collection number and folder, then by id."""

    def sealing(self, collection_number: int) -> bool:  # noqa: ARG002
        return self.on

    def make(self, collection_number: int, folder: str) -> SnapshotKey | None:
        if not self.on:
            return None
        key = SnapshotKey.fresh()
        self.keys.setdefault((collection_number, folder), {})[key.id] = key
        return key

    def find(self, collection_number: int, key_id: str) -> SnapshotKey | None:
        for (number, _), keys in self.keys.items():
            if number == collection_number and key_id in keys:
                return keys[key_id]
        return None

    def keep_only(self, collection_number: int, folder: str, key_id: str | None) -> None:
        keys = self.keys.get((collection_number, folder), {})
        for other in set(keys) - {key_id}:
            del keys[other]

    def destroy(self, collection_number: int) -> None:
        for number, folder in list(self.keys):
            if number == collection_number:
                del self.keys[number, folder]


class AlwaysSealing(SnapshotStore):
    """Makes a key for each file, as an index does before it is copied."""

    def write(
        self,
        source: Source,
        revision: int,
        index: LocalIndex,
        *,
        removals: int | None = None,
        key: SnapshotKey | None = None,
    ) -> bool:
        key = key or self.new_key(source.collection_number)
        return super().write(source, revision, index, removals=removals, key=key)


@pytest.fixture
def keys() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture(params=["clear", "sealed"])
def store(
    request: pytest.FixtureRequest, snapshot_folder: Path, keys: KeysInMemory
) -> Iterator[SnapshotStore]:
    sealed = request.param == "sealed"
    made = AlwaysSealing(snapshot_folder, keys) if sealed else SnapshotStore(snapshot_folder)
    yield made
    made.close()


def holding(count: int) -> InPieces:
    return InPieces(list(range(count)))


def contents(store: SnapshotStore, source: Source = SOURCE) -> dict[int, bytes]:
    """Every face's vector. Raises SnapshotUnusableError."""
    snapshot = store.read(source)
    assert snapshot is not None
    found: dict[int, bytes] = {}
    for numbers, vectors in snapshot.pieces():
        assert not found.keys() & set(numbers.tolist())
        found.update(zip(numbers.tolist(), map(NDArray.tobytes, vectors), strict=True))
    return found


def expected(count: int) -> dict[int, bytes]:
    return {number: VECTORS[number].tobytes() for number in range(count)}


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.index")
    return path


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 40])
def test_what_was_written_is_read_bit_for_bit(store: SnapshotStore, count: int) -> None:
    store.write(SOURCE, 17, holding(count))
    snapshot = store.read(SOURCE)
    assert snapshot is not None
    assert snapshot.revision == 17
    assert contents(store) == expected(count)


def test_pieces_of_any_size_are_written(store: SnapshotStore) -> None:
    rows = list(range(40))
    store.write(SOURCE, 1, InPieces(rows[:3], [], rows[3:4], rows[4:29], rows[29:]))
    assert contents(store) == expected(40)


def test_face_that_was_copied_twice_is_read_once(store: SnapshotStore) -> None:
    store.write(SOURCE, 1, InPieces([3, 1, 2], [2, 0, 4, 5, 6, 7, 8, 9], [9, 3, 2]))
    assert contents(store) == expected(10)


def test_next_snapshot_replaces_the_one_before(store: SnapshotStore) -> None:
    store.write(SOURCE, 1, holding(30))
    store.write(SOURCE, 2, holding(5))
    assert contents(store) == expected(5)


def test_collections_have_files_of_their_own(store: SnapshotStore) -> None:
    other = replace(SOURCE, collection_number=2)
    store.write(SOURCE, 1, holding(3))
    store.write(other, 1, holding(9))
    store.remove(1)
    assert store.read(SOURCE) is None
    assert contents(store, other) == expected(9)


def test_file_cut_off_anywhere_is_not_used(store: SnapshotStore, snapshot_folder: Path) -> None:
    store.write(SOURCE, 1, holding(2 * PIECE + 3))
    path = only_file(snapshot_folder)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(SnapshotUnusableError):
            contents(store)


def test_file_with_any_byte_changed_is_not_used(
    store: SnapshotStore, snapshot_folder: Path
) -> None:
    store.write(SOURCE, 1, holding(2 * PIECE + 3))
    path = only_file(snapshot_folder)
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        with pytest.raises(SnapshotUnusableError):
            contents(store)


@pytest.mark.parametrize(
    "text", [b"", b"something else altogether", b"VULTUS01", b"VULTUS02", b"\0" * 4096]
)
def test_file_that_is_something_else_is_not_used(
    store: SnapshotStore, snapshot_folder: Path, text: bytes
) -> None:
    store.write(SOURCE, 1, holding(3))
    only_file(snapshot_folder).write_bytes(text)
    with pytest.raises(SnapshotUnusableError):
        contents(store)


@pytest.mark.parametrize("rest", [b"\0", b"VULTUS01", b"x" * 1000])
def test_file_that_goes_on_after_its_end_is_not_used(
    store: SnapshotStore, snapshot_folder: Path, rest: bytes
) -> None:
    store.write(SOURCE, 1, holding(3))
    with only_file(snapshot_folder).open("ab") as file:
        file.write(rest)
    with pytest.raises(SnapshotUnusableError):
        contents(store)


@pytest.mark.parametrize(
    "foreign",
    [
        replace(SOURCE, collection_number=2),
        replace(SOURCE, created_at="2031-05-01T00:00:00.000001+00:00"),
        replace(SOURCE, embedder=OTHER_MODEL.name),
        replace(SOURCE, digest=OTHER_MODEL.digest),
        replace(SOURCE, dimension=OTHER_MODEL.dimension),
    ],
    ids=["number", "creation", "embedder", "digest", "dimension"],
)
def test_snapshot_of_anything_else_is_not_used(
    store: SnapshotStore, snapshot_folder: Path, foreign: Source
) -> None:
    store.write(foreign, 1, holding(3))
    only_file(snapshot_folder).rename(snapshot_folder / "1.index")
    with pytest.raises(SnapshotUnusableError):
        store.read(SOURCE)


def test_file_that_vanishes_while_it_is_read_is_not_used(
    store: SnapshotStore, snapshot_folder: Path
) -> None:
    store.write(SOURCE, 1, holding(3))
    snapshot = store.read(SOURCE)
    assert snapshot is not None
    SnapshotStore(snapshot_folder).remove(1)
    with pytest.raises(SnapshotUnusableError):
        list(snapshot.pieces())


def test_no_file_is_no_snapshot(store: SnapshotStore) -> None:
    assert store.read(SOURCE) is None
    store.remove(1)
    store.keep_only(set())


@pytest.mark.parametrize("written", [0, 3, PIECE, 3 * PIECE + 1])
def test_failure_while_writing_leaves_the_file_before(
    store: SnapshotStore, snapshot_folder: Path, written: int
) -> None:
    store.write(SOURCE, 1, holding(12))
    before = {path.name for path in snapshot_folder.iterdir()}
    with pytest.raises(ZeroDivisionError):
        store.write(SOURCE, 2, Breaks(list(range(written))))
    assert {path.name for path in snapshot_folder.iterdir()} == before
    assert contents(store) == expected(12)


def test_what_a_killed_process_left_half_written_is_removed_with_the_rest(
    store: SnapshotStore, snapshot_folder: Path
) -> None:
    removals: tuple[Callable[[], None], ...] = (
        lambda: store.remove(1),
        lambda: store.keep_only({1, 2}),
    )
    for remove in removals:
        store.write(SOURCE, 1, holding(12))
        half = only_file(snapshot_folder).with_suffix(".new")
        half.write_bytes(b"half of what is in an index")
        remove()
        assert not half.exists()


def test_only_those_to_keep_are_kept(store: SnapshotStore, snapshot_folder: Path) -> None:
    for number in (1, 2, 12, 21):
        store.write(replace(SOURCE, collection_number=number), 1, holding(3))
    store.keep_only({12, 3, 1})
    assert {path.name for path in snapshot_folder.glob("*.index")} == {"12.index", "1.index"}


def test_one_store_of_a_folder_leads_until_it_is_closed(snapshot_folder: Path) -> None:
    first, second, third = (SnapshotStore(snapshot_folder) for _ in range(3))
    assert [store.lead() for store in (first, second, first, third)] == [True, False, True, False]
    second.close()
    assert first.lead()
    first.close()
    assert [store.lead() for store in (third, second, first)] == [True, False, False]
    third.close()
    assert first.lead()
    first.close()


def test_folders_have_leaders_of_their_own(tmp_path: Path) -> None:
    stores = [SnapshotStore(tmp_path / name) for name in ("ours", "theirs")]
    assert [store.lead() for store in stores] == [True, True]
    for store in stores:
        store.close()


def test_nobody_else_on_the_machine_may_read_the_files(
    store: SnapshotStore, snapshot_folder: Path
) -> None:
    store.write(SOURCE, 1, holding(3))
    assert snapshot_folder.stat().st_mode & 0o077 == 0


def sealing(folder: Path, keys: KeysInMemory) -> SnapshotStore:
    return AlwaysSealing(folder, keys)


def test_sealed_file_shows_no_vector_and_no_number(
    snapshot_folder: Path, keys: KeysInMemory
) -> None:
    sealing(snapshot_folder, keys).write(SOURCE, 1, holding(40))
    written = only_file(snapshot_folder).read_bytes()
    numbers = np.arange(40, dtype="<i8").tobytes()
    assert not any(vector.tobytes()[:8] in written for vector in VECTORS)
    assert numbers[8:24] not in written
    keys.on = False
    sealing(snapshot_folder, keys).write(SOURCE, 1, holding(40))
    clear = only_file(snapshot_folder).read_bytes()
    assert all(vector.tobytes() in clear for vector in VECTORS)
    assert numbers in clear


def test_pieces_of_a_sealed_file_cannot_be_swapped(
    snapshot_folder: Path, keys: KeysInMemory
) -> None:
    """Whole pieces change their places; checksums of the pieces alone would not show it."""
    store = sealing(snapshot_folder, keys)
    store.write(SOURCE, 1, holding(3 * PIECE))
    path = only_file(snapshot_folder)
    whole = bytearray(path.read_bytes())
    snapshot = store.read(SOURCE)
    assert snapshot is not None
    size = PIECE * MODEL.dimension * 4
    first, second = (
        slice(snapshot.start + i * size, snapshot.start + (i + 1) * size) for i in (0, 1)
    )
    whole[first], whole[second] = whole[second], whole[first]
    path.write_bytes(whole)
    with pytest.raises(SnapshotUnusableError, match="piece 1 is damaged"):
        contents(store)


def test_piece_of_an_earlier_sealed_file_does_not_fit_the_next(
    snapshot_folder: Path, keys: KeysInMemory
) -> None:
    store = sealing(snapshot_folder, keys)
    store.write(SOURCE, 1, holding(PIECE))
    path = only_file(snapshot_folder)
    earlier = path.read_bytes()
    store.write(SOURCE, 1, holding(PIECE))
    later = path.read_bytes()
    snapshot = store.read(SOURCE)
    assert snapshot is not None
    assert len(earlier) == len(later)
    path.write_bytes(later[: snapshot.start] + earlier[snapshot.start :])
    with pytest.raises(SnapshotUnusableError):
        contents(store)


def test_clear_file_is_not_trusted_once_encryption_is_on(
    snapshot_folder: Path, keys: KeysInMemory
) -> None:
    keys.on = False
    store = sealing(snapshot_folder, keys)
    store.write(SOURCE, 1, holding(3))
    keys.on = True
    assert not store.holds(SOURCE)
    with pytest.raises(SnapshotUnusableError, match="in the clear"):
        store.read(SOURCE)


@pytest.mark.parametrize("without", ["keys", "encryption"])
def test_sealed_file_is_not_used_once_encryption_is_off(
    snapshot_folder: Path, keys: KeysInMemory, without: str
) -> None:
    store = sealing(snapshot_folder, keys)
    store.write(SOURCE, 1, holding(3))
    keys.on = False
    after = SnapshotStore(snapshot_folder, None if without == "keys" else keys)
    with pytest.raises(SnapshotUnusableError, match="it is sealed"):
        after.read(SOURCE)


def test_erasure_makes_copies_on_other_machines_unreadable(
    tmp_path: Path, keys: KeysInMemory
) -> None:
    here, there = (sealing(tmp_path / name, keys) for name in ("here", "there"))
    for store in (here, there):
        store.write(SOURCE, 1, holding(3))
        assert contents(store) == expected(3)
    here.erase(1)
    assert here.read(SOURCE) is None
    with pytest.raises(SnapshotUnusableError, match="its key was destroyed"):
        there.read(SOURCE)


def test_next_file_destroys_the_key_of_the_one_before_on_this_machine_alone(
    tmp_path: Path, keys: KeysInMemory
) -> None:
    here, there = (sealing(tmp_path / name, keys) for name in ("here", "there"))
    for store in (there, here):
        store.write(SOURCE, 1, holding(3))
    backup = only_file(tmp_path / "here").read_bytes()
    here.write(SOURCE, 2, holding(2))
    assert contents(here) == expected(2)
    assert contents(there) == expected(3)
    only_file(tmp_path / "here").write_bytes(backup)
    with pytest.raises(SnapshotUnusableError, match="its key was destroyed"):
        here.read(SOURCE)


def test_file_whose_key_is_destroyed_while_it_is_written_is_not_kept(
    tmp_path: Path, keys: KeysInMemory
) -> None:
    """Another machine erases somebody, and knows nothing of the file that is being written."""
    here, there = (sealing(tmp_path / name, keys) for name in ("here", "there"))

    class ErasedMeanwhile(InPieces):
        def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
            there.erase(1)
            yield from super().pieces()

    assert not here.write(SOURCE, 1, ErasedMeanwhile(list(range(3))))
    assert here.read(SOURCE) is None
    assert list((tmp_path / "here").glob("*.new")) == []
