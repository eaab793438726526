"""Liveness scores of real photos, by networks made here, through decoding and detection."""

import asyncio
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PIL import Image

from app.errors import LivenessOff
from app.recognition.build import build_recognizer
from app.recognition.liveness.liveness_crop import cut_surroundings
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_face, largest_faces
from app.recognition.types import DetectedFace, Pixels
from app.settings import Settings
from models.zoo.catalogue.entry import LivenessInput
from models.zoo.network import Network
from models.zoo.networks.liveness import LivenessNetwork
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit import photos
from tests.kit.liveness_graphs import expected_scores, save_liveness_graph

_NEAR = LivenessInput(crop_scale=2.7, size_px=80, colours="bgr")
_WIDE = LivenessInput(crop_scale=4.0, size_px=80, colours="bgr")
_WEIGHTS = {"near": (1.0, -4.0, 6.0), "wide": (-2.0, 5.0, 1.0)}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Sequence[LivenessNetwork]:
    folder = tmp_path_factory.mktemp("liveness")
    return [
        LivenessNetwork(
            name,
            card,
            save_liveness_graph(folder / f"{name}.onnx", weights=_WEIGHTS[name]),
            device="cpu",
            threads=CpuThreads(),
        )
        for name, card in (("near", _NEAR), ("wide", _WIDE))
    ]


@pytest.fixture(scope="module")
def scoring(network: Network, networks: Sequence[LivenessNetwork]) -> Iterator[Recognizer]:
    scorer = LivenessScorer(networks, threshold=0.5)
    built = build_recognizer(Settings(device="cpu"), network, liveness=scorer)
    yield built
    built.stop()


def _by_hand(photo: Pixels, face: DetectedFace) -> float:
    """The mean score of both networks for a face of a photo."""
    scores = [
        expected_scores(
            cut_surroundings(photo, face, scale=card.crop_scale, size_px=80)[None],
            _WEIGHTS[name],
        )[0]
        for name, card in (("near", _NEAR), ("wide", _WIDE))
    ]
    return float(np.mean(scores))


def _checked(photo: Pixels, faces: Sequence[DetectedFace]) -> list[float]:
    """The scores of the faces, each compared with that by hand."""
    scores = []
    for face in faces:
        assert face.liveness is not None
        assert face.liveness.score == pytest.approx(_by_hand(photo, face), abs=1e-5)
        assert face.liveness.live is (face.liveness.score >= 0.5)
        scores.append(face.liveness.score)
    return scores


def test_each_face_is_scored_by_the_mean_of_both_networks(scoring: Recognizer) -> None:
    group = photos.encoded(photos.group(), "PNG")
    found = asyncio.run(scoring.detect(group, liveness=largest_faces(10)))
    first, second = _checked(photos.pixels(photos.group()), found.faces)
    assert abs(first - second) > 0.02


def test_faces_that_are_not_picked_have_no_score(scoring: Recognizer) -> None:
    group = photos.encoded(photos.group(), "PNG")
    found = asyncio.run(scoring.detect(group, liveness=largest_face))
    assert [face.liveness is None for face in found.faces] == [False, True]


def test_embedded_faces_are_scored_only_where_it_is_asked_for(scoring: Recognizer) -> None:
    photo = photos.encoded(photos.astronaut(), "PNG")
    asked = asyncio.run(scoring.embed(photo, largest_face, liveness=True))
    plain = asyncio.run(scoring.embed(photo, largest_face))
    _checked(photos.pixels(photos.astronaut()), [face.face for face in asked.faces])
    assert [face.face.liveness for face in plain.faces] == [None]
    assert asked.faces[0].embedding == pytest.approx(plain.faces[0].embedding, abs=1e-6)


def test_photo_that_is_decoded_at_a_fraction_is_scored_at_its_full_size(
    scoring: Recognizer,
) -> None:
    large = photos.astronaut().resize((3072, 3072), Image.Resampling.BICUBIC)
    encoded = photos.encoded(large)
    found = asyncio.run(scoring.detect(encoded, liveness=largest_face))
    _checked(photos.pixels(photos.opened(encoded)), found.faces)


def test_face_on_its_side_has_the_score_of_the_upright_one(scoring: Recognizer) -> None:
    upright = photos.astronaut()
    turned = upright.transpose(Image.Transpose.ROTATE_270)
    scores = []
    for photo in (upright, turned):
        encoded = photos.encoded(photo, "PNG")
        found = asyncio.run(scoring.detect(encoded, liveness=largest_face))
        scores += _checked(photos.pixels(photo), found.faces)
    assert scores[0] == pytest.approx(scores[1], abs=0.03)


def test_photo_without_a_face_has_no_score(scoring: Recognizer) -> None:
    coffee = photos.encoded(photos.coffee())
    assert asyncio.run(scoring.detect(coffee, liveness=largest_face)).faces == ()


def test_digest_names_the_networks_in_any_order(networks: Sequence[LivenessNetwork]) -> None:
    near, wide = networks
    both = LivenessScorer([near, wide])
    assert both.digest == LivenessScorer([wide, near]).digest
    assert len({both.digest, near.digest, wide.digest}) == 3
    assert LivenessScorer([near]).digest == near.digest


def test_no_score_is_made_up_where_no_network_is_configured(recognizer: Recognizer) -> None:
    photo = photos.encoded(photos.astronaut())
    with pytest.raises(LivenessOff):
        asyncio.run(recognizer.detect(photo, liveness=largest_face))
    with pytest.raises(LivenessOff):
        asyncio.run(recognizer.embed(photo, largest_face, liveness=True))
