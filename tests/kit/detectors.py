"""Detectors as the settings make them, and the networks of MTCNN in each runtime."""

from typing import Literal

from app.recognition.build import build_detector
from app.recognition.detect.copying_detector import CopyingDetector
from app.settings import DetectorSettings, Settings
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.mtcnn_modules import torch_mtcnn
from models.zoo.detectors.mtcnn_onnx import open_mtcnn
from models.zoo.detectors.mtcnn_weights import MtcnnWeights
from models.zoo.serving.cpu_threads import CpuThreads


def make_detector(
    *,
    name: str = "yunet",
    device: Literal["cpu", "cuda"] = "cpu",
    backend: Literal["auto", "torch", "onnxruntime"] = "auto",
    max_side_px: int = 1280,
    min_face_size_px: int = 40,
    min_score: float = 0.9,
) -> CopyingDetector:
    chosen = DetectorSettings(
        name=name, max_side_px=max_side_px, min_face_size_px=min_face_size_px, min_score=min_score
    )
    return build_detector(Settings(device=device, backend=backend, detector=chosen))


def mtcnn_networks(runtime: str) -> MtcnnNetworks:
    """The networks of MTCNN on the CPU, in `torch` or `onnxruntime`."""
    weights = MtcnnWeights.load()
    if runtime == "torch":
        return torch_mtcnn(weights, device="cpu")
    return open_mtcnn(weights, threads=CpuThreads(1, 2))
