"""Batches of crops as tensors, read and changed by worker processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.training.data.augment import Augmenter
from models.training.data.crop_store import CropStore
from models.training.data.samplers import Draw, PeopleExamples


@dataclass(frozen=True, slots=True)
class Batch:
    """`crops` uint8 (B, side, side, 3), `labels` int64 (B,)."""

    crops: Tensor
    labels: Tensor


class TrainingCrops(Dataset[tuple[Tensor, int]]):
    """The crops to train on; `labels` number their people from 0."""

    def __init__(self, store: CropStore, numbers: NDArray[np.int64], augment: Augmenter) -> None:
        self._store = store
        self._numbers = numbers
        self._augment = augment
        people, self.labels = np.unique(store.labels[numbers], return_inverse=True)
        self.people = len(people)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int]:
        crop = self._store.crop(int(self._numbers[draw.place]))
        changed = self._augment(crop, epoch=draw.epoch, number=draw.number)
        return torch.from_numpy(changed), int(self.labels[draw.place])


def training_batches(
    crops: TrainingCrops, sampler: PeopleExamples, *, workers: int, pin: bool = False
) -> Iterator[Batch]:
    """The batches of a sampler; `workers` processes read ahead (0: this one reads).

    `pin` puts them into page-locked memory, from which a GPU copies faster.
    """
    loader: DataLoader[tuple[Tensor, int]] = DataLoader(
        crops,
        batch_sampler=sampler,
        num_workers=workers,
        pin_memory=pin,
        # Otherwise, the loader draws from the global generator, and changes it.
        generator=torch.Generator().manual_seed(0),
    )
    with _opencv_on_one_thread():
        batches = iter(loader)
    for images, labels in batches:
        yield Batch(images, labels)


@contextmanager
def _opencv_on_one_thread() -> Iterator[None]:
    """End OpenCV's threads while processes are forked.

    A forked process has no such threads, and would wait for them forever.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
