"""Faces that a device embeds and measures together are those of each photo, and of the CPU."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageOps

from app.errors import ImageUnreadable, Stopping
from app.recognition.batch import BatchRecognizer, Job, Seen
from app.recognition.batched import faces
from app.recognition.batched.faces import torch_faces
from app.recognition.build import load_configured_network
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.memory_budget import MemoryBudget
from app.recognition.select import largest_faces
from app.recognition.types import QualityComponent
from app.settings import Settings
from models.zoo.network import Network
from tests.kit.photos import another_photo, astronaut, coffee, encoded, group, hopper

PHOTOS = (
    astronaut().resize((250, 250)),
    another_photo(hopper()),
    coffee().resize((300, 200)),
    group().resize((1_500, 900)),
    ImageOps.mirror(hopper()).rotate(-90, expand=True),
)
_TOTAL = 10**9
_SCALE = {QualityComponent.FACE_SIZE: 50.0, QualityComponent.ROLL: 50.0}
"""Units of raw values, where they are far from 1."""


def _job(data: bytes, *, embed: bool = True) -> Job:
    return Job(data, largest_faces(9), embed=embed)


def _networks(backend: str) -> list[Network]:
    """One whose crops are those that are measured, and one with others, which are mirrored."""
    return [
        load_configured_network(Settings(device="cpu", backend=backend, embedder=name))
        for name in ("sface", "dlib-resnet")
    ]


@pytest.fixture(scope="module")
def in_torch() -> list[Network]:
    return _networks("torch")


@pytest.fixture(scope="module")
def decoders() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def _recognizer(
    detector: CopyingDetector,
    networks: Sequence[Network],
    decoders: Executor | None,
    *,
    memory: MemoryBudget | None = None,
) -> BatchRecognizer:
    return BatchRecognizer(
        detector=detector,
        embedders=[NetworkEmbedder(one) for one in networks],
        memory=memory or MemoryBudget(_TOTAL),
        max_pixels=10**8,
        on_device=torch_faces(networks, device="cpu"),
        decoders=decoders,
    )


@pytest.fixture
def on_device(
    batched_detector: CopyingDetector, in_torch: Sequence[Network], decoders: Executor
) -> BatchRecognizer:
    return _recognizer(batched_detector, in_torch, decoders)


def _seen(outcome: Seen | Exception) -> Seen:
    assert isinstance(outcome, Seen), outcome
    return outcome


def _require_same(found: Seen, known: Seen) -> None:
    assert (found.size, found.sha256) == (known.size, known.sha256)
    assert len(found.embeddings) == len(known.embeddings) == len(found.selected)
    assert len(found.next_embeddings) == len(known.next_embeddings) == len(found.selected)
    for face, other in zip(found.selected, known.selected, strict=True):
        assert face.direction == other.direction
        np.testing.assert_allclose(face.box, other.box, atol=1)
        np.testing.assert_allclose(face.landmarks, other.landmarks, atol=1)
    for rows, others in (
        (found.embeddings, known.embeddings),
        (found.next_embeddings, known.next_embeddings),
    ):
        for row, known_row in zip(rows, others, strict=True):
            assert row @ known_row > 0.999
    for quality, known_quality in zip(found.qualities, known.qualities, strict=True):
        assert quality.direction_is_clear == known_quality.direction_is_clear
        assert quality.recognisable_by == known_quality.recognisable_by
        assert set(quality.components) == set(known_quality.components)
        for name, component in quality.components.items():
            expected = known_quality.components[name]
            within = 0.02 * _SCALE.get(name, 1)
            assert component.raw == pytest.approx(expected.raw, abs=within), name
            assert component.score == pytest.approx(expected.score, abs=4), name


def test_a_batch_is_seen_as_each_photo_and_as_on_the_cpu(
    on_device: BatchRecognizer, detector: CopyingDetector
) -> None:
    jobs = [_job(encoded(photo)) for photo in PHOTOS]
    broken = replace(jobs[0], image=jobs[0].image[:40])
    on_cpu = _recognizer(detector, _networks("onnxruntime"), None)
    outcomes = on_device([*jobs[:2], broken, *jobs[2:]])
    assert isinstance(outcomes.pop(2), ImageUnreadable)
    together = list(map(_seen, outcomes))
    assert [len(seen.embeddings) for seen in together] == [1, 1, 0, 2, 1]
    for job, found, expected in zip(jobs, together, on_cpu(jobs), strict=True):
        _require_same(found, _seen(on_device([job])[0]))
        _require_same(found, _seen(expected))


def test_faces_of_large_photos_are_uploaded_in_pieces(
    on_device: BatchRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [_job(encoded(photo)) for photo in (group(), another_photo(hopper()))]
    whole = list(map(_seen, on_device(jobs)))
    monkeypatch.setattr(faces, "_WHOLE_UP_TO", 1)
    monkeypatch.setattr(faces, "_MOST_PIXELS", 100_000)
    for found, known in zip(on_device(jobs), whole, strict=True):
        _require_same(_seen(found), known)
    monkeypatch.setattr(faces, "_MOST_OF_PIECE", 60_000)  # of a face that is larger than a crop
    for found, known in zip(on_device(jobs), whole, strict=True):
        assert all(
            row @ other > 0.99
            for row, other in zip(_seen(found).embeddings, known.embeddings, strict=True)
        )


def test_photos_wait_for_memory_and_give_it_back(
    batched_detector: CopyingDetector, in_torch: Sequence[Network], decoders: Executor
) -> None:
    data = encoded(hopper().resize((128, 150)))
    memory = MemoryBudget(PhotoFile(data, DecodeLimits(10**6)).memory_bytes)  # of one photo
    small = _recognizer(batched_detector, in_torch, decoders, memory=memory)
    jobs = [_job(data, embed=embed) for embed in (True, False)]
    embedded, measured = map(_seen, small([*jobs, _job(b"no photo")])[:2])
    assert (len(embedded.embeddings), len(measured.embeddings)) == (1, 0)
    assert len(embedded.qualities) == len(measured.qualities) == 1
    assert memory.try_take(memory.total_bytes)


def test_after_the_end_of_decoding_photos_are_refused(
    batched_detector: CopyingDetector, in_torch: Sequence[Network]
) -> None:
    memory = MemoryBudget(_TOTAL)
    stopped = _recognizer(batched_detector, in_torch, ThreadPoolExecutor(1), memory=memory)
    stopped.end_decoding()
    (outcome,) = stopped([_job(encoded(hopper()))])
    assert isinstance(outcome, Stopping)
    assert memory.try_take(_TOTAL)
