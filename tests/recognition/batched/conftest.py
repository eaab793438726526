"""The detector of a GPU, on the CPU."""

import pytest

from app.recognition.batched.load import load_yunet_finder
from app.recognition.detect.copying_detector import CopyingDetector
from models.zoo.detectors.yunet_weights import load_yunet
from tests.kit.detectors import mtcnn_networks


@pytest.fixture(scope="session")
def batched_detector() -> CopyingDetector:
    """The detector of a GPU with default settings, on the CPU."""
    return CopyingDetector(
        load_yunet_finder(load_yunet(), device="cpu"),
        mtcnn_networks("onnxruntime"),
        min_score=0.9,
        max_side_px=1280,
        min_face_size_px=40,
    )
