"""Embeddings on disk: found again, never those of another network, never half of one."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from app.datasets.embedding_cache import EmbeddingCache, Known
from app.errors import Reason

ABOUT = {"embedder": "made-up", "weights": "abc"}


def _cache(folder: Path, **about: str) -> EmbeddingCache:
    return EmbeddingCache(folder, about={**ABOUT, **about}, dimension=4)


def _sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _row(number: int) -> Known:
    row = np.random.default_rng(number).normal(size=4).astype(np.float32)
    return Known(row, None)


def _filled(folder: Path, numbers: range, **about: str) -> None:
    cache = _cache(folder, **about)
    for number in numbers:
        cache.add(_sha256(number), _row(number))
    cache.close()


def _found(cache: EmbeddingCache, number: int) -> np.ndarray | None:
    known = cache.find(_sha256(number))
    return None if known is None else known.embedding


def test_what_was_added_is_found_by_the_next_run_bit_for_bit(tmp_path: Path) -> None:
    _filled(tmp_path, range(3))
    _filled(tmp_path, range(3, 5))
    cache = _cache(tmp_path)
    for number in range(5):
        np.testing.assert_array_equal(_found(cache, number), _row(number).embedding)
    assert _found(cache, 5) is None


def test_failures_that_depend_on_the_photo_alone_are_kept_too(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    for number, reason in enumerate((Reason.NO_FACE, Reason.SEVERAL_FACES, Reason.IMAGE_TOO_LARGE)):
        cache.add(_sha256(number), Known(None, reason))
    cache.close()
    again = _cache(tmp_path)
    assert again.find(_sha256(0)) == Known(None, Reason.NO_FACE)
    assert again.find(_sha256(1)) == Known(None, Reason.SEVERAL_FACES)
    assert again.find(_sha256(2)) is None  # that is one of the limits, which may be raised


@pytest.mark.parametrize("changed", [{"weights": "abd"}, {"faces": "largest"}])
def test_embeddings_of_another_network_or_setting_are_not_found(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    _filled(tmp_path, range(3))
    assert _found(_cache(tmp_path, **changed), 0) is None


def test_whatever_is_cut_off_costs_one_record_and_later_runs_go_on(tmp_path: Path) -> None:
    _filled(tmp_path, range(3))
    (written,) = tmp_path.glob("*/*.records")
    written.write_bytes(written.read_bytes()[:-7])
    cache = _cache(tmp_path)
    assert [_found(cache, number) is not None for number in range(3)] == [True, True, False]
    cache.add(_sha256(2), _row(2))
    cache.close()
    np.testing.assert_array_equal(_found(_cache(tmp_path), 2), _row(2).embedding)


@pytest.mark.parametrize("place", [0, 32, 40, 50])
def test_a_damaged_record_is_not_believed(tmp_path: Path, place: int) -> None:
    _filled(tmp_path, range(3))
    (written,) = tmp_path.glob("*/*.records")
    size = written.stat().st_size // 3
    data = bytearray(written.read_bytes())
    data[size + place] ^= 0x40
    written.write_bytes(data)
    cache = _cache(tmp_path)
    assert [_found(cache, number) is not None for number in range(3)] == [True, False, True]


def test_runs_side_by_side_do_not_harm_each_other(tmp_path: Path) -> None:
    first, second = _cache(tmp_path), _cache(tmp_path)
    for number in range(20):
        (first if number % 2 else second).add(_sha256(number), _row(number))
    first.close()
    second.close()
    cache = _cache(tmp_path)
    assert all(_found(cache, number) is not None for number in range(20))


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    _filled(folder, range(1))
    (written,) = folder.glob("*/*.records")
    assert written.stat().st_mode & 0o077 == 0
    assert written.parent.stat().st_mode & 0o077 == 0
