"""Load the detector whose pixels stay on the device."""

import torch

from app.recognition.batched.yunet_boxes import YunetBoxes
from app.recognition.batched.yunet_finder import YunetFinder
from app.recognition.device import require_full_precision
from models.zoo.detectors.mtcnn_modules import cascade_module
from models.zoo.detectors.mtcnn_weights import MtcnnWeights
from models.zoo.detectors.yunet_modules import yunet_module
from models.zoo.weights.arrays import Arrays


def load_yunet_finder(weights: Arrays, *, device: str, half: bool) -> YunetFinder:
    """YuNet, in half precision where `half` and on CUDA, with MTCNN's output network.

    That is small, and the certainty of a direction depends on the last digits of its scores: it
    runs in full precision. Raises WeightsError for unusable weights.
    """
    place = torch.device(device)
    require_full_precision(device)
    dtype = torch.float16 if half and device == "cuda" else torch.float32
    yunet = YunetBoxes(yunet_module(weights, device=place, dtype=dtype), dtype=dtype)
    judge = cascade_module(MtcnnWeights.load().output, device=place)
    return YunetFinder(yunet, judge, device=place)
