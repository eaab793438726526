"""Crops of LFW's people, shared out for fine-tuning: tuned on, chosen by, reported on."""

import asyncio
from pathlib import Path

import numpy as np

from app.datasets.crop_cutter import CropCutter
from app.datasets.photo_listing import read_listing
from app.datasets.photo_source import PhotoSource, SubjectRule
from app.recognition.build import build_recognizer, load_configured_network
from app.settings import Settings
from benchmarks.kit.lfw_data import LfwData
from models.training.data.crop_store import CropStore
from models.training.data.split import Split
from models.zoo.network import InputSpec

_TUNED_ON, _CHOSEN_BY = 0.5, 0.2
_DRAW = 1234  # fixed before anything was measured


def lfw_crops(data: LfwData, folder: Path, crops_for: InputSpec) -> CropStore:
    """Cut the face nearest the centre of each photo as the service does, for networks of an input.

    Crops that are in the folder already are kept.
    """
    settings = Settings()
    recognizer = build_recognizer(settings, load_configured_network(settings))
    cutter = CropCutter(recognizer, SubjectRule.CENTRAL, crops_for, settings)
    try:
        return asyncio.run(cutter.cut(read_listing(PhotoSource(data.images)), folder))
    finally:
        recognizer.stop()


def share_out(store: CropStore, *, choosing: bool) -> Split:
    """Seven tenths of the people to tune on, and the rest to report on, used for no choice.

    `choosing`: five tenths to tune on, and the two others both to choose and to report on.
    """
    order = np.random.default_rng(_DRAW).permutation(len(store.names))
    ends = [int(len(order) * share) for share in (_TUNED_ON, _TUNED_ON + _CHOSEN_BY)]
    part = np.zeros(len(order), dtype=np.int8)
    part[order[ends[0] :]] = 1
    part[order[ends[1] :]] = 2
    first, second, rest = (np.flatnonzero(part[store.labels] == number) for number in range(3))
    if choosing:
        return Split(first, second, second)
    return Split(np.union1d(first, second), np.empty(0, dtype=np.int64), rest)


def all_people(store: CropStore) -> Split:
    """All people, to tune a network that is not measured itself."""
    none = np.empty(0, dtype=np.int64)
    return Split(np.arange(len(store)), none, none)
