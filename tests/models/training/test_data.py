"""Splits share out people; samplers and augmentations give the same in every run."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.training.config import AugmentOptions, ShareOptions
from models.training.data.augment import Augmenter
from models.training.data.batches import TrainingCrops, training_batches
from models.training.data.samplers import PeopleExamples
from models.training.data.split import split_people
from models.training.errors import TooFewPeopleError
from tests.models.training.crops import make_store, photo

LABELS = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 20])
ALL = dict.fromkeys(("mirror", "light", "blur", "shrink", "jpeg", "move"), 1.0)


def test_nobody_is_in_two_shares(tmp_path: Path) -> None:
    store = make_store(tmp_path, people=20, photos=3)
    split = split_people(store, ShareOptions(choose=0.2, test=0.3, min_photos=2), seed=1)
    shares = [set(store.labels[rows]) for rows in (split.train, split.choose, split.test)]
    assert [len(share) for share in shares] == [10, 4, 6]
    assert not shares[0] & shares[1] | shares[0] & shares[2] | shares[1] & shares[2]
    again = split_people(store, ShareOptions(choose=0.2, test=0.3, min_photos=2), seed=1)
    np.testing.assert_array_equal(split.train, again.train)
    other = split_people(store, ShareOptions(choose=0.2, test=0.3, min_photos=2), seed=2)
    assert set(store.labels[other.test]) != shares[2]


def test_too_few_people_to_train_on_are_told(tmp_path: Path) -> None:
    store = make_store(tmp_path, people=3, photos=2)
    with pytest.raises(TooFewPeopleError, match="at least 3 photos"):
        split_people(store, ShareOptions(choose=0, test=0, min_photos=3), seed=0)


def _epoch(**options: int) -> list[list[tuple[int, int]]]:
    given = {"people": 3, "examples": 4, "seed": 5, **options}
    batches = PeopleExamples(LABELS, **given)
    return [[(draw.place, draw.number) for draw in batch] for batch in batches]


def test_a_batch_has_k_examples_of_each_of_p_people() -> None:
    for batch in _epoch(batches=20):
        people = Counter(int(LABELS[place]) for place, _ in batch)
        assert len(people) == 3
        assert set(people.values()) == {4}
        for person in people:
            drawn = Counter(place for place, _ in batch if LABELS[place] == person)
            assert len(drawn) == min(
                4, np.count_nonzero(person == LABELS)
            )  # all once before any twice


def test_people_come_equally_often_however_many_photos_they_have() -> None:
    people = Counter(
        int(LABELS[batch[start][0]]) for batch in _epoch(batches=21) for start in (0, 4, 8)
    )
    assert set(people.values()) == {9}


def test_every_draw_of_an_epoch_has_a_number_of_its_own() -> None:
    numbers = [number for batch in _epoch(batches=5) for _, number in batch]
    assert numbers == list(range(60))


def test_batches_go_on_from_any_step() -> None:
    whole = _epoch(batches=9)
    assert _epoch(batches=9) == whole
    for start in range(9):
        assert _epoch(batches=9, start=start) == whole[start:]
    assert _epoch(batches=9, epoch=1) != whole
    assert _epoch(batches=9, seed=6) != whole


def test_processes_together_draw_what_one_draws() -> None:
    whole = _epoch(people=6, batches=4)
    parts = [_epoch(people=6, batches=4, rank=rank, ranks=3) for rank in range(3)]
    assert [a + b + c for a, b, c in zip(*parts, strict=True)] == whole
    with pytest.raises(ValueError, match="cannot be divided among"):
        _epoch(people=6, ranks=4)


def test_an_epoch_is_as_long_as_the_photos_are_many() -> None:
    assert len(PeopleExamples(LABELS, people=3, examples=4, seed=0)) == len(LABELS) // 12


def _changed(options: AugmentOptions, number: int, *, seed: int = 0) -> NDArray[np.uint8]:
    return Augmenter(options, seed=seed)(photo(1, 1, 96), epoch=2, number=number)


@pytest.mark.parametrize("name", list(ALL))
def test_each_change_happens_at_its_probability_and_is_repeatable(name: str) -> None:
    off = dict.fromkeys(ALL, 0.0)
    original = photo(1, 1, 96)
    half = AugmentOptions.model_validate({**off, name: 0.5})
    changed = [not np.array_equal(_changed(half, number), original) for number in range(200)]
    assert 70 < sum(changed) < 130
    always = AugmentOptions.model_validate({**off, name: 1.0})
    first = _changed(always, 7)
    assert first.shape == original.shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, _changed(always, 7))
    if name != "mirror":
        assert any(not np.array_equal(first, _changed(always, number)) for number in range(8, 20))
    # The picture stays that of the person: coarsely, it correlates with what it was.
    upright = first[:, ::-1] if name == "mirror" else first
    coarse = [
        image.reshape(8, 12, 8, 12, 3).mean(axis=(1, 3)).ravel() for image in (upright, original)
    ]
    assert np.corrcoef(*coarse)[0, 1] > 0.9


def test_without_any_change_a_crop_stays_as_it_is() -> None:
    off = AugmentOptions.model_validate(dict.fromkeys(ALL, 0.0))
    np.testing.assert_array_equal(_changed(off, 0), photo(1, 1, 96))


def test_workers_begin_although_threads_of_opencv_run(tmp_path: Path) -> None:
    store = make_store(tmp_path, people=2, photos=2)
    augment = Augmenter(AugmentOptions.model_validate(ALL), seed=1)
    crops = TrainingCrops(store, np.arange(4), augment)
    sampler = PeopleExamples(crops.labels, people=2, examples=2, seed=1, batches=1)
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        cv2.GaussianBlur(np.zeros((2_000, 2_000, 3), np.uint8), (31, 31), 5)  # starts them
        assert len(list(training_batches(crops, sampler, workers=1))) == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("workers", [0, 2])
def test_several_workers_give_the_same_pictures(tmp_path: Path, workers: int) -> None:
    store = make_store(tmp_path, people=4, photos=3)
    augment = Augmenter(AugmentOptions.model_validate(ALL), seed=1)
    numbers = np.arange(3, 12)  # of people 1 to 3, who are numbered anew
    crops = TrainingCrops(store, numbers, augment)
    assert crops.people == 3
    sampler = PeopleExamples(crops.labels, people=2, examples=2, seed=1, batches=3)
    before = torch.get_rng_state()
    found = list(training_batches(crops, sampler, workers=workers))
    assert torch.equal(torch.get_rng_state(), before)
    for batch, draws in zip(found, sampler, strict=True):
        for crop, label, draw in zip(batch.crops, batch.labels, draws, strict=True):
            expected = augment(
                store.crop(int(numbers[draw.place])), epoch=draw.epoch, number=draw.number
            )
            np.testing.assert_array_equal(crop.numpy(), expected)
            assert int(label) == store.labels[numbers[draw.place]] - 1
