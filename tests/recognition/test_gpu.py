"""CUDA finds the same faces and embeds them alike, also in half precision."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.recognition.align import align
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.select import largest_faces
from app.recognition.types import Pixels
from app.settings import Settings
from models.zoo.network import Network
from models.zoo.registry import SFACE
from tests.kit.detectors import make_detector
from tests.kit.photos import astronaut, coffee, encoded, group, pixels

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize(("half", "least_cosine"), [(True, 0.999), (False, 0.9999)])
def test_cuda_embeds_as_the_cpu_does(
    network: Network, crops: Sequence[Pixels], half: bool, least_cosine: float
) -> None:
    on_cuda = load_configured_network(Settings(device="cuda", half_precision=half))
    assert on_cuda.device == "cuda"
    noise = np.random.default_rng(0).integers(0, 256, crops[0].shape, dtype=np.uint8)
    all_crops = [*crops, noise]
    found = NetworkEmbedder(on_cuda).embed(all_crops)
    expected = NetworkEmbedder(network).embed(all_crops)
    assert (found * expected).sum(axis=1).min() > least_cosine


@pytest.mark.parametrize(("half", "least_cosine"), [(True, 0.999), (False, 0.9999)])
def test_cuda_embeds_by_sface_as_the_cpu_does(
    detector: CopyingDetector, half: bool, least_cosine: float
) -> None:
    on_cuda = load_configured_network(
        Settings(device="cuda", half_precision=half, embedder="sface")
    )
    assert (on_cuda.device, on_cuda.runtime) == ("cuda", "torch")
    assert on_cuda.precision == ("float16" if half else "float32")
    photo = pixels(group())
    faces = [align(photo, face.landmarks, SFACE.input) for face in detector.detect(photo)]
    noise = np.random.default_rng(0).integers(0, 256, faces[0].shape, dtype=np.uint8)
    on_cpu = load_configured_network(Settings(device="cpu", backend="torch", embedder="sface"))
    found, expected = (NetworkEmbedder(one).embed([*faces, noise]) for one in (on_cuda, on_cpu))
    assert (found * expected).sum(axis=1).min() > least_cosine


@pytest.mark.parametrize(("half", "least_cosine"), [(True, 0.998), (False, 0.999)])
async def test_a_batch_on_cuda_is_recognised_as_on_the_cpu(half: bool, least_cosine: float) -> None:
    photos = [encoded(photo) for photo in (group(), coffee(), astronaut().resize((250, 250)))]
    on_cuda, on_cpu = (
        build_recognizer(settings, load_configured_network(settings))
        for settings in (
            Settings(device="cuda", half_precision=half, embedder="sface"),
            Settings(device="cpu", embedder="sface", half_precision=False),
        )
    )
    try:
        found, expected = [
            await asyncio.gather(*(one.embed(photo, largest_faces(9)) for photo in photos * 4))
            for one in (on_cuda, on_cpu)
        ]
    finally:
        on_cuda.stop()
        on_cpu.stop()
    for photo, known in zip(found, expected, strict=True):
        assert len(photo.faces) == len(known.faces)
        for face, other in zip(photo.faces, known.faces, strict=True):
            np.testing.assert_allclose(face.face.landmarks, other.face.landmarks, atol=1)
            assert face.embedding @ other.embedding > least_cosine
            assert face.quality.unified == pytest.approx(other.quality.unified, abs=5)


def test_cuda_finds_the_faces_that_the_cpu_finds(detector: CopyingDetector) -> None:
    on_cuda = make_detector(device="cuda")
    found = on_cuda.detect(pixels(group()))
    expected = detector.detect(pixels(group()))
    assert len(found) == len(expected) == 2
    for face, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(face.box, known.box, atol=2)
        np.testing.assert_allclose(face.landmarks, known.landmarks, atol=2)
    assert on_cuda.detect(pixels(coffee())) == ()
