"""A larger batch takes as many operators and copies: nothing but decoding is per photo."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from PIL import Image

from app.recognition.batch import BatchRecognizer, Job
from app.recognition.batched.faces import torch_faces
from app.recognition.build import load_configured_network
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.memory_budget import MemoryBudget
from app.recognition.select import largest_faces
from app.settings import Settings
from tests.kit.operations import counted
from tests.kit.photos import coffee, encoded, group, hopper

_SMALL = hopper().resize((128, 150))
ONE_KIND = (_SMALL,)
EVERY_KIND = (
    _SMALL,
    coffee().resize((150, 100)),  # no face: all directions, and a second look
    _SMALL.rotate(90, expand=True),
    group().resize((200, 120)),
)
MOST_CALLS = 700
"""Calls by Python for each further photo that has a face and is upright, most of them to read the
structure of its file; today 410."""


@pytest.mark.parametrize("kind", [ONE_KIND, EVERY_KIND], ids=["one kind", "every kind"])
def test_operators_and_copies_do_not_depend_on_the_number_of_photos(
    kind: Sequence[Image.Image],
    batched_detector: CopyingDetector,
) -> None:
    network = load_configured_network(Settings(device="cpu", backend="torch", embedder="sface"))
    jobs = [Job(encoded(photo), largest_faces(9), embed=True) for photo in kind]
    with ThreadPoolExecutor(1) as decoders:
        recognize = BatchRecognizer(
            detector=batched_detector,
            embedders=[NetworkEmbedder(network)],
            memory=MemoryBudget(10**9),
            max_pixels=10**7,
            on_device=torch_faces([network], device="cpu"),
            decoders=decoders,
        )
        recognize(jobs)  # for what is made once
        few, many = (counted(partial(recognize, jobs * times)) for times in (2, 5))
    assert many.operators == few.operators > 100
    assert (many.to_device, many.to_host) == (few.to_device, few.to_host)
    assert 0 < few.to_host < few.to_device < 60
    if kind is ONE_KIND:
        assert few.calls < many.calls < few.calls + 3 * MOST_CALLS
