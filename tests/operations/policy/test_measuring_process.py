"""A calibration is measured in a process of its own, with the same result, and ends with a stop."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import Stopping
from app.operations.policy.measuring_process import MeasuringProcess, Sample
from models.evaluation.calibration.measure_map import measure_map

_LONG_S = 60.0


def _people(people: int, photos_each: int) -> tuple[NDArray[np.float32], list[str]]:
    generator = np.random.default_rng(0)
    centres = np.repeat(generator.normal(size=(people, 16)), photos_each, axis=0)
    rows = centres + 0.3 * generator.normal(size=centres.shape)
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, [f"Zoë {number // photos_each}" for number in range(len(unit))]


def test_another_process_measures_the_same() -> None:
    embeddings, people = _people(90, 6)
    source = "the people of \N{SNOWMAN}"
    here = measure_map(embeddings, people, embedder="some", digest="ab", source=source)
    there = MeasuringProcess().measure(Sample(embeddings, people, "some", "ab", source))
    assert there == here


def test_what_is_wrong_with_the_people_is_said_as_here() -> None:
    embeddings, people = _people(10, 60)
    with pytest.raises(ValueError, match="10 people are too few"):
        MeasuringProcess().measure(Sample(embeddings, people, "some", "ab", "few"))


def test_a_stop_ends_what_is_being_measured_and_refuses_what_comes() -> None:
    process = MeasuringProcess()
    embeddings, people = _people(4_000, 3)

    def measure() -> object:
        return process.measure(Sample(embeddings, people, "some", "ab", "many"))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(measure)
        gives_up = monotonic() + _LONG_S
        while not process.running and monotonic() < gives_up:
            sleep(0.001)
        process.stop()
        with pytest.raises(Stopping):
            running.result(_LONG_S)
    assert process.running == 0
    with pytest.raises(Stopping):
        measure()
