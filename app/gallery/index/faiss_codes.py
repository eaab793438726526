"""What Faiss computes for the index. The only file that imports it.

Faiss computes on the calling thread alone here. By itself it spreads even a single probe's scan
over a team of threads once there are some thousand rows. The server searches from several threads
and runs networks on the same cores: the teams would fight over them, and with two cores one probe
takes longer on both than on one. The number of threads belongs to the thread that sets it, so it is
set before each call (0.1 us).
"""

from functools import cache
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.index.slot_map import SlotMap
from app.gallery.index.top import Top, best_of

FACES_A_REGION = 16
"""In the sample that the regions of lists are learnt from; more find hardly any more faces."""

_BLAS_FROM = 4
"""Probes from which on multiplying matrices beats going through the rows one by one.

Measured at dimensions 128 and 512. Faiss itself switches at 1000 probes of dimension 128, so that
64 together take six times as long.
"""

_PACKED_TOGETHER = 32
"""Codes that Faiss's kernel interleaves, so that one instruction scores all of them."""

_BLOCK = 1_048_576
"""Codes in one table, which doubles by copying when it grows: 16 MB at most at dimension 128."""

_ENCODED_AT_ONCE = 65_536
"""Components; they take 1 ms."""
_LISTED_AT_ONCE = 8192
"""Components; comparing them with some thousand regions takes 3 ms."""

_SAMPLES = 4096
"""Random vectors that codes are learnt from; Faiss takes no more, 256 for each of 16 points."""

_ITERATIONS = 4
_SEED = 1

_Index = Any
"""Faiss's type stubs lack half of what is used here."""


class Codes(Protocol):
    """Short codes of the rows in slots 0 to `len - 1`, for finding candidates quickly."""

    piece: int
    """Rows that `append` takes no more than a few milliseconds for."""

    def __len__(self) -> int: ...

    @property
    def memory_bytes(self) -> int: ...

    def append(self, numbers: FaceNumbers, rows: Vectors) -> None:
        """Encode the rows of the next slots."""
        ...

    def move(self, source: int, target: int) -> None:
        """The row of one slot now is in another as well, whose own is no more."""
        ...

    def pop(self, number: int) -> None:
        """Drop the last slot, and what is left of the face of this number, which is in none now."""
        ...

    def candidates(self, probes: Vectors, count: int) -> Top:
        """Find, for each probe, about the `count` nearest slots, with similarities of the codes."""
        ...


def nearest(probes: Vectors, rows: Vectors, count: int, *, start: int = 0) -> Top:
    """The `count` rows with the greatest inner products, or all; the first is of slot `start`.

    Probes are (Q, d), rows (N, d), both float32 and C-contiguous. Slots are -1 in place of rows
    whose products are no numbers.
    """
    _use_this_thread(probes.shape[1])
    count = min(count, len(rows))
    similarities, slots = faiss.knn(probes, rows, count, metric=faiss.METRIC_INNER_PRODUCT)
    slots[slots >= 0] += start
    return Top(slots, similarities)


class PackedCodes:
    """A code beside every slot, all of which are scored: no probe finds its face left out.

    Each pair of components, or four, becomes the nearest of 16 points (product quantization).
    These are learnt from random unit vectors: they serve as well as those learnt from a gallery,
    and nothing of a removed face is left in them.
    """

    def __init__(self, dimension: int) -> None:
        self.piece = max(1, _ENCODED_AT_ONCE // dimension)
        self._dimension = dimension
        self._size = 0
        self._blocks: list[_Index] = []
        self._tables: list[NDArray[np.uint8]] = []
        self._packer = _trained(dimension).get_CodePacker()
        self._nothing = np.zeros(self._packer.code_size, dtype=np.uint8)

    def __len__(self) -> int:
        return self._size

    @property
    def memory_bytes(self) -> int:
        return self._size * len(self._nothing)

    def append(self, numbers: FaceNumbers, rows: Vectors) -> None:
        del numbers
        _use_this_thread(self._dimension)
        done = 0
        while done < len(rows):
            place = self._size % _BLOCK
            if place == 0:
                self._blocks.append(faiss.clone_index(_trained(self._dimension)))
                self._tables.append(np.empty((0, 0), dtype=np.uint8))
            some = rows[done : done + _BLOCK - place]
            self._blocks[-1].add(some)
            self._tables[-1] = _table(self._blocks[-1])
            self._size += len(some)
            done += len(some)

    def move(self, source: int, target: int) -> None:
        code = _unpack(self._packer, self._tables[source // _BLOCK], source % _BLOCK)
        _pack(self._packer, code, self._tables[target // _BLOCK], target % _BLOCK)

    def pop(self, number: int) -> None:
        del number
        self._size -= 1
        place = self._size % _BLOCK
        # Not for secrecy alone: what is added later is OR-ed into the table.
        _pack(self._packer, self._nothing, self._tables[-1], place)
        self._blocks[-1].ntotal = place
        if place % _PACKED_TOGETHER == 0:
            self._blocks[-1].ntotal2 = place
        if place == 0:
            self._tables.pop()
            self._blocks.pop()

    def candidates(self, probes: Vectors, count: int) -> Top:
        _use_this_thread(self._dimension)
        tops = [Top.empty(len(probes))]
        for start, block in zip(range(0, self._size, _BLOCK), self._blocks, strict=True):
            scores, slots = block.search(probes, min(count, self._size - start, _BLOCK))
            slots[slots >= 0] += start
            tops.append(Top(slots, scores))
        return best_of(tops, count)


class ListedCodes:
    """The same codes in lists, one for each of many regions, of which only the nearest are scored.

    Lists go by face number: a row that moves to another slot stays in its list.
    """

    def __init__(
        self, sample: Vectors, lists: int, probed: int, slots: SlotMap, *, made_for: int
    ) -> None:
        """Regions are learnt from a sample of `made_for` faces; `probed` of them are looked at."""
        self.made_for = made_for
        self.piece = max(1, _LISTED_AT_ONCE // sample.shape[1])
        _use_this_thread(sample.shape[1])
        self._regions = _regions(sample, lists)
        self._index = _new_lists(self._regions, probed)
        self._packer = self._index.get_CodePacker()
        self._contents: _Index = faiss.downcast_InvertedLists(self._index.invlists)
        self._lists = SlotMap()  # by face number, the list it is in
        self._slots = slots

    def __len__(self) -> int:
        return len(self._lists)

    @property
    def memory_bytes(self) -> int:
        a_face = int(self._index.code_size) + 8
        centroids = self._regions.ntotal * self._index.d * 4
        return len(self) * a_face + self._lists.memory_bytes + int(centroids)

    def append(self, numbers: FaceNumbers, rows: Vectors) -> None:
        _use_this_thread(rows.shape[1])
        lists = self._regions.assign(rows, 1)[:, 0]
        codes = self._index.pq.compute_codes(rows)
        for number, code, of in zip(numbers.tolist(), codes, lists.tolist(), strict=True):
            size = self._contents.list_size(of)
            self._contents.resize(of, size + 1)
            self._numbers_in(of)[size] = number
            _pack(self._packer, code, self._table(of), size)
        self._lists.add(numbers, lists)
        self._index.ntotal += len(numbers)

    def move(self, source: int, target: int) -> None:
        """Nothing to do: a list does not know slots."""

    def pop(self, number: int) -> None:
        of = self._lists.get(number)
        self._lists.remove(number)
        numbers, table = self._numbers_in(of), self._table(of)
        place, last = int(np.flatnonzero(numbers == number)[0]), len(numbers) - 1
        numbers[place] = numbers[last]
        _pack(self._packer, _unpack(self._packer, table, last), table, place)
        _pack(self._packer, np.zeros(self._packer.code_size, dtype=np.uint8), table, last)
        self._contents.resize(of, last)
        self._index.ntotal -= 1

    def candidates(self, probes: Vectors, count: int) -> Top:
        _use_this_thread(probes.shape[1])
        scores, numbers = self._index.search(probes, count)
        return Top(self._slots.find(numbers.ravel()).reshape(numbers.shape), scores)

    def _numbers_in(self, of: int) -> FaceNumbers:
        return faiss.rev_swig_ptr(self._contents.get_ids(of), self._contents.list_size(of))

    def _table(self, of: int) -> NDArray[np.uint8]:
        blocks = -(-self._contents.list_size(of) // _PACKED_TOGETHER)
        codes = faiss.rev_swig_ptr(self._contents.get_codes(of), blocks * self._packer.block_size)
        return codes.reshape(blocks, self._packer.block_size)


def _use_this_thread(dimension: int) -> None:
    faiss.omp_set_num_threads(1)
    # For the whole process, in units of probes times dimension. Should an index of another
    # dimension set it in between, a search takes the slower of two ways, no more.
    faiss.cvar.distance_compute_blas_threshold = _BLAS_FROM * dimension


def _parts(dimension: int) -> int:
    """Parts of a vector that become 4 bits each.

    Pairs of components; fours above 256 dimensions, where the errors of more parts even out.
    Fours at dimension 128 miss one in ten of the nearest to strangers, who have no near ones.
    """
    size = 4 if dimension > 256 and dimension % 4 == 0 else 2
    return dimension // size if dimension % size == 0 else dimension


@cache
def _trained(dimension: int) -> _Index:
    index = faiss.IndexPQFastScan(
        dimension, _parts(dimension), 4, faiss.METRIC_INNER_PRODUCT, _PACKED_TOGETHER
    )
    _use_this_thread(dimension)
    index.train(_random_units(dimension))
    return index


def _new_lists(regions: _Index, probed: int) -> _Index:
    index = faiss.IndexIVFPQFastScan(
        regions,
        regions.d,
        regions.ntotal,
        _parts(regions.d),
        4,
        faiss.METRIC_INNER_PRODUCT,
        _PACKED_TOGETHER,
    )
    index.pq = _trained(regions.d).pq
    index.is_trained = True
    index.nprobe = probed
    return index


def _table(block: _Index) -> NDArray[np.uint8]:
    """A view of the codes, good until something is added: the table moves when it grows."""
    codes = faiss.rev_swig_ptr(block.codes.get(), block.codes.size())
    return codes.reshape(-1, _PACKED_TOGETHER * block.code_size)


def _unpack(packer: _Index, table: NDArray[np.uint8], place: int) -> NDArray[np.uint8]:
    # Only the group of codes: given more, Faiss's Python layer refuses places that are far on.
    group, offset = divmod(place, _PACKED_TOGETHER)
    code: NDArray[np.uint8] = packer.unpack_1(table[group : group + 1], offset)
    return code


def _pack(packer: _Index, code: NDArray[np.uint8], table: NDArray[np.uint8], place: int) -> None:
    group, offset = divmod(place, _PACKED_TOGETHER)
    packer.pack_1(code, offset, table[group : group + 1])


def _regions(sample: Vectors, count: int) -> _Index:
    """The centres of `count` clusters of the sample."""
    clustering: _Index = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=_ITERATIONS,
        spherical=True,
        seed=_SEED,
        min_points_per_centroid=1,
        max_points_per_centroid=FACES_A_REGION,
    )
    clustering.train(sample)
    regions = faiss.IndexFlatIP(sample.shape[1])
    regions.add(clustering.centroids)
    return regions


def _random_units(dimension: int) -> Vectors:
    vectors = np.random.default_rng(_SEED).standard_normal((_SAMPLES, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
