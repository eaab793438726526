"""Photos of a batch are recognised as each is alone, within a bound of memory."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from app.errors import ImageTooLarge, ImageUnreadable
from app.observe.request_scope import Stage
from app.recognition.align import align
from app.recognition.batch import BatchRecognizer, Job, Seen
from app.recognition.decode import photo_file
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.memory_budget import MemoryBudget
from app.recognition.select import largest_faces
from app.recognition.types import ImageSize
from models.zoo.network import Network
from tests.kit.detectors import make_detector
from tests.kit.photos import another_photo, astronaut, coffee, encoded, group, hopper, pixels

TOLERANCE = 1e-4
"""Tolerance of each value between embeddings of a photo alone and in a batch."""

PHOTOS = [astronaut(), coffee(), group(), another_photo(hopper()), hopper()]
_ALL = largest_faces(10)


def _recognizer(
    network: Network, detector: CopyingDetector, memory_bytes: int = 1_000_000_000
) -> BatchRecognizer:
    return BatchRecognizer(
        detector=detector,
        embedders=[NetworkEmbedder(network)],
        memory=MemoryBudget(memory_bytes),
        max_pixels=20_000_000,
    )


@pytest.fixture
def recognize(network: Network, detector: CopyingDetector) -> BatchRecognizer:
    return _recognizer(network, detector)


def _job(photo: Image.Image) -> Job:
    return Job(encoded(photo), _ALL, embed=True)


def _seen(outcome: Seen | Exception) -> Seen:
    assert isinstance(outcome, Seen), outcome
    return outcome


def _assert_alike(found: Sequence[Seen | Exception], expected: Sequence[Seen | Exception]) -> None:
    for one, other in zip(map(_seen, found), map(_seen, expected), strict=True):
        assert (one.size, one.sha256) == (other.size, other.sha256)
        assert len(one.detected) == len(other.detected)
        for face, known in zip(one.detected, other.detected, strict=True):
            np.testing.assert_allclose(face.box, known.box, atol=0.01)
            np.testing.assert_allclose(face.landmarks, known.landmarks, atol=0.01)
        for row, known_row in zip(one.embeddings, other.embeddings, strict=True):
            np.testing.assert_allclose(row, known_row, atol=TOLERANCE)
        for quality, known_quality in zip(one.qualities, other.qualities, strict=True):
            assert quality.unified == pytest.approx(known_quality.unified, abs=0.1)


def test_a_batch_gives_what_each_photo_gives_alone(recognize: BatchRecognizer) -> None:
    jobs = [_job(photo) for photo in PHOTOS]
    together = recognize(jobs)
    _assert_alike(together, [recognize([job])[0] for job in jobs])
    assert [len(_seen(outcome).embeddings) for outcome in together] == [1, 0, 2, 1, 1]


def test_an_image_that_is_none_fails_alone(recognize: BatchRecognizer) -> None:
    large = encoded(Image.new("1", (6_000, 4_000)), "PNG")
    jobs = [_job(hopper()), Job(b"no image"), Job(encoded(astronaut())[:5_000]), Job(large)]
    first, text, truncated, too_large = recognize([*jobs])
    assert len(_seen(first).embeddings) == 1
    assert isinstance(text, ImageUnreadable)
    assert isinstance(truncated, ImageUnreadable)
    assert isinstance(too_large, ImageTooLarge)


def test_only_what_is_asked_for_is_done(recognize: BatchRecognizer) -> None:
    image = encoded(group())
    detected, assessed, embedded = map(
        _seen,
        recognize([Job(image), Job(image, _ALL), Job(image, _ALL, embed=True)]),
    )
    assert [len(seen.detected) for seen in (detected, assessed, embedded)] == [2, 2, 2]
    assert [len(seen.qualities) for seen in (detected, assessed, embedded)] == [0, 2, 2]
    assert [len(seen.embeddings) for seen in (detected, assessed, embedded)] == [0, 0, 2]


def test_the_stages_tell_how_long_they_took(recognize: BatchRecognizer) -> None:
    (seen,) = map(_seen, recognize([_job(hopper())]))
    assert set(seen.seconds) == {Stage.DECODE, Stage.DETECT, Stage.EMBED}
    assert all(seconds > 0 for seconds in seen.seconds.values())


@pytest.mark.parametrize("memory_bytes", [6_200_000, 8_000_000])
def test_with_little_memory_the_photos_take_turns(
    network: Network, detector: CopyingDetector, recognize: BatchRecognizer, memory_bytes: int
) -> None:
    jobs = [_job(photo) for photo in PHOTOS]
    tight = _recognizer(network, detector, memory_bytes)
    _assert_alike(tight(jobs), recognize(jobs))


def test_a_photo_that_needs_more_memory_than_there_is_is_refused_alone(
    network: Network, detector: CopyingDetector
) -> None:
    jobs = [_job(hopper()), Job(encoded(astronaut().resize((600, 600)), "PNG"))]
    first, second = _recognizer(network, detector, 4_000_000)(jobs)
    assert len(_seen(first).embeddings) == 1
    assert isinstance(second, ImageTooLarge)
    assert second.setting == "VULTUS_LIMITS__DECODE_MEMORY_BYTES"


def test_a_jpeg_that_needs_more_memory_than_there_is_is_read_at_a_fraction(
    network: Network, detector: CopyingDetector
) -> None:
    tight = _recognizer(network, detector, 4_000_000)
    (found,) = map(_seen, tight([_job(hopper().resize((1_024, 1_200)))]))
    assert found.size == ImageSize(1_024, 1_200)
    assert len(found.embeddings) == 1


def test_threads_that_share_little_memory_do_not_wait_for_each_other(
    network: Network, detector: CopyingDetector, recognize: BatchRecognizer
) -> None:
    jobs = [_job(photo) for photo in (hopper(), astronaut(), coffee())]
    tight = _recognizer(network, detector, 3_100_000)
    results: list[list[Seen | Exception]] = []
    threads = [
        threading.Thread(target=lambda: results.append(tight(jobs)), daemon=True) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for result in results:
        _assert_alike(result, recognize(jobs))


LARGE = group().resize((group().width * 4, group().height * 4), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def coarse() -> CopyingDetector:
    """Its copies are so small that large photos are decoded at a quarter of their size."""
    return make_detector(max_side_px=1_000)


def test_a_reduced_photo_gives_the_faces_of_the_whole_one(
    network: Network, coarse: CopyingDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognize = _recognizer(network, coarse)
    (reduced,) = map(_seen, recognize([_job(LARGE)]))
    monkeypatch.setattr(photo_file, "DIVISORS", (1,))
    (whole,) = map(_seen, recognize([_job(LARGE)]))
    assert reduced.size == whole.size == ImageSize(*LARGE.size)
    assert len(reduced.detected) == len(whole.detected) == 2
    for face, known in zip(reduced.detected, whole.detected, strict=True):
        width = known.box[2] - known.box[0]
        np.testing.assert_allclose(face.box, known.box, atol=0.1 * width)
        np.testing.assert_allclose(face.landmarks, known.landmarks, atol=0.03 * width)
    for row, known_row in zip(reduced.embeddings, whole.embeddings, strict=True):
        assert row @ known_row > 0.95
    for quality, known_quality in zip(reduced.qualities, whole.qualities, strict=True):
        for name, component in quality.components.items():
            assert component.raw == pytest.approx(
                known_quality.components[name].raw, rel=0.1, abs=0.5
            )


def test_a_face_with_too_few_pixels_in_the_reduced_photo_is_cut_from_the_whole_one(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = Image.new("RGB", (2_400, 1_800), "gray")
    small = hopper().resize((256, 300), Image.Resampling.BICUBIC)
    canvas.paste(small, (1_000, 700))
    job = _job(canvas)
    detector = make_detector(max_side_px=1_200)
    (seen,) = map(_seen, _recognizer(network, detector)([job]))
    (face,) = seen.selected
    expected = NetworkEmbedder(network).embed(
        [align(photo_file.decode(job.image, max_pixels=10**8), face.landmarks, network.spec.input)]
    )
    np.testing.assert_allclose(seen.embeddings[0], expected[0], atol=TOLERANCE)
    # Cut from the half, it would be another: that is what is avoided.
    monkeypatch.setattr("app.recognition.batch._enlargement", lambda *_: 0.0)
    (coarse,) = map(_seen, _recognizer(network, detector)([job]))
    assert coarse.embeddings[0] @ expected[0] < 0.999


def test_pixels_of_a_png_are_those_that_are_looked_at(
    network: Network, detector: CopyingDetector
) -> None:
    photo = pixels(hopper())
    (seen,) = map(_seen, _recognizer(network, detector)([Job(encoded(hopper(), "PNG"))]))
    assert [face.box for face in seen.detected] == [face.box for face in detector.detect(photo)]
