"""Load the detector whose pixels stay on the device."""

import torch

from app.recognition.batched.yunet_boxes import YunetBoxes
from app.recognition.batched.yunet_finder import YunetFinder
from app.recognition.device import require_full_precision
from models.zoo.detectors.mtcnn_modules import cascade_module
from models.zoo.detectors.mtcnn_weights import MtcnnWeights
from models.zoo.detectors.yunet_modules import yunet_module
from models.zoo.weights.arrays import Arrays


def load_yunet_finder(weights: Arrays, *, device: str) -> YunetFinder:
    """YuNet with MTCNN's output network, both in full precision.

    They are small, and decide between boxes and directions whose scores are nearly equal: pixels
    that were rounded otherwise, by one gray value, moved landmarks by up to 1.5 pixels, and
    embeddings of 450 faces to cosines down to 0.987. Raises WeightsError for unusable weights.
    """
    place = torch.device(device)
    require_full_precision(device)
    yunet = YunetBoxes(yunet_module(weights, device=place))
    judge = cascade_module(MtcnnWeights.load().output, device=place)
    return YunetFinder(yunet, judge, device=place)
