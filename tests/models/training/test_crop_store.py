"""Crops are kept on disk, found again, and never torn by whatever kills the process."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.training.data.crop_store import CropStoreWriter, ListedCrop, open_store
from models.training.errors import StoreUnusableError
from models.zoo.network import InputSpec
from models.zoo.templates import FACENET_160, arcface_template
from tests.models.training.crops import SIDE, SPEC, make_store, photo

A, B, C = "a" * 64, "b" * 64, "c" * 64


def test_crops_come_back_as_they_were_with_their_people(tmp_path: Path) -> None:
    store = make_store(tmp_path / "crops", people=3, photos=2)
    assert len(store) == 6
    assert store.names == ("person 000", "person 001", "person 002")
    assert list(store.labels) == [0, 0, 1, 1, 2, 2]
    for number in range(6):
        person, taken = store.photos[number].removesuffix(".png").split("/")
        np.testing.assert_array_equal(store.crop(number), photo(int(person), int(taken)))
    assert store.input == SPEC


def test_the_array_is_mapped_and_any_numpy_reads_it(tmp_path: Path) -> None:
    store = make_store(tmp_path / "crops", people=2, photos=2)
    assert isinstance(store.crops, np.memmap)
    plain = np.load(tmp_path / "crops" / "crops.npy")
    assert plain.shape == (4, SIDE, SIDE, 3)
    np.testing.assert_array_equal(plain[3], photo(1, 1))


def test_a_photo_without_a_crop_is_told_with_its_reason(tmp_path: Path) -> None:
    with CropStoreWriter(tmp_path, SPEC) as writer:
        writer.add(A, photo(0, 0))
        writer.add_failure(B, "no_face")
        writer.finish(
            [
                ListedCrop("a.jpg", "Ann", A),
                ListedCrop("b.jpg", "Bob", B),
                ListedCrop("c.jpg", "Cid", C, failure="image_unreadable"),
            ]
        )
    store = open_store(tmp_path)
    assert store.names == ("Ann",)
    assert store.failures == (("b.jpg", "no_face"), ("c.jpg", "image_unreadable"))


def test_a_second_run_knows_what_the_first_cut(tmp_path: Path) -> None:
    with CropStoreWriter(tmp_path, SPEC) as writer:
        writer.add(A, photo(0, 0))
        writer.add_failure(B, "no_face")
    with CropStoreWriter(tmp_path, SPEC) as writer:
        assert writer.known(A)
        assert writer.failure(A) is None
        assert writer.failure(B) == "no_face"
        assert not writer.known(C)
        writer.add(C, photo(1, 0))
        writer.finish([ListedCrop("c.jpg", "Cid", C), ListedCrop("a.jpg", "Ann", A)])
    store = open_store(tmp_path)
    np.testing.assert_array_equal(store.crop(0), photo(0, 0))
    np.testing.assert_array_equal(store.crop(1), photo(1, 0))
    assert [store.names[label] for label in store.labels] == ["Ann", "Cid"]


@pytest.mark.parametrize("lost_bytes", [1, 20, 70])
def test_a_line_or_row_that_was_being_written_is_left_out(tmp_path: Path, lost_bytes: int) -> None:
    with CropStoreWriter(tmp_path, SPEC) as writer:
        writer.add(A, photo(0, 0))
        writer.add(B, photo(0, 1))
    lines = tmp_path / "photos.jsonl"
    lines.write_bytes(lines.read_bytes()[:-lost_bytes])
    with CropStoreWriter(tmp_path, SPEC) as writer:
        assert writer.known(A)
        assert not writer.known(B)
        writer.add(C, photo(2, 0))
        writer.finish([ListedCrop("a.jpg", "Ann", A), ListedCrop("c.jpg", "Cid", C)])
    store = open_store(tmp_path)
    np.testing.assert_array_equal(store.crop(0), photo(0, 0))
    np.testing.assert_array_equal(store.crop(1), photo(2, 0))


def test_the_digest_is_that_of_the_photos_and_people(tmp_path: Path) -> None:
    first = make_store(tmp_path / "1", people=3, photos=2)
    again = make_store(tmp_path / "2", people=3, photos=2)
    other = make_store(tmp_path / "3", people=3, photos=3)
    assert first.digest == again.digest != other.digest


def test_the_order_of_a_listing_does_not_matter(tmp_path: Path) -> None:
    listing = [
        ListedCrop("a.jpg", "Ann", B),
        ListedCrop("b.jpg", "Ann", A),
        ListedCrop("c.jpg", "Bob", A),
    ]
    stores = []
    for name, listed in (("1", listing), ("2", listing[::-1])):
        with CropStoreWriter(tmp_path / name, SPEC) as writer:
            writer.add(A, photo(0, 0))
            writer.add(B, photo(0, 1))
            writer.finish(listed)
        stores.append(open_store(tmp_path / name))
    assert stores[0].digest == stores[1].digest
    assert stores[0].sha256 == stores[1].sha256 == (A, B, A)
    assert stores[0].photos == stores[1].photos


def test_a_folder_of_crops_that_were_cut_otherwise_is_refused(tmp_path: Path) -> None:
    with CropStoreWriter(tmp_path, SPEC, {"faces": "single"}) as writer:
        writer.add(A, photo(0, 0))
    moved = InputSpec(SIDE, FACENET_160, SPEC.mean, SPEC.std)
    for spec, cut_by in ((SPEC, {"faces": "largest"}), (moved, {"faces": "single"})):
        with pytest.raises(StoreUnusableError, match="cut otherwise"):
            CropStoreWriter(tmp_path, spec, cut_by).open()
    with CropStoreWriter(tmp_path, SPEC, {"faces": "single"}) as writer:
        assert writer.known(A)
    (tmp_path / "cut.json").unlink()
    with pytest.raises(StoreUnusableError, match="does not say how"):
        CropStoreWriter(tmp_path, SPEC, {"faces": "single"}).open()


def test_a_damaged_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusableError, match="delete it"):
        open_store(tmp_path / "none")
    make_store(tmp_path, people=2, photos=2)
    listed = json.loads((tmp_path / "store.json").read_text())
    (tmp_path / "store.json").write_text(json.dumps({**listed, "rows": [0, 1, 2, 9]}))
    with pytest.raises(StoreUnusableError, match="cut short"):
        open_store(tmp_path)


def test_a_folder_whose_crops_are_gone_or_of_another_size_is_not_written_to(
    tmp_path: Path,
) -> None:
    make_store(tmp_path, people=2, photos=2)
    other = InputSpec(20, arcface_template(20), SPEC.mean, SPEC.std)
    with pytest.raises(StoreUnusableError, match="another size"):
        CropStoreWriter(tmp_path, other).open()
    crops = tmp_path / "crops.npy"
    crops.write_bytes(crops.read_bytes()[:-1])
    with pytest.raises(StoreUnusableError, match="cut short"):
        CropStoreWriter(tmp_path, SPEC).open()
    crops.unlink()
    with pytest.raises(StoreUnusableError, match="damaged"):
        CropStoreWriter(tmp_path, SPEC).open()


def test_a_crop_of_another_size_is_refused(tmp_path: Path) -> None:
    with CropStoreWriter(tmp_path, SPEC) as writer, pytest.raises(StoreUnusableError):
        writer.add(A, photo(0, 0, side=20))


def test_only_the_owner_can_read_crops(tmp_path: Path) -> None:
    make_store(tmp_path / "crops", people=2, photos=2)
    assert (tmp_path / "crops").stat().st_mode & 0o077 == 0
    assert (tmp_path / "crops" / "crops.npy").stat().st_mode & 0o077 == 0
