"""Networks that score whether a photo shows a face itself, or a picture of it.

Their crop includes the surroundings of the face, as the edge of a screen or of a sheet of paper
reveals an attack.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.zoo.catalogue.entry import LivenessInput
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import Crops, as_input
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_session import OnnxRuntimeSession, runtime
from models.zoo.serving.run_options import RunOptions

Scores = NDArray[np.float64]
"""One score for each face, 0 to 1, shape (N,)."""

_MAX_BATCH: Final = 32
"""Most crops of one pass, which limits its memory."""


class LivenessNetwork:
    """A liveness network in an .onnx file, run by ONNX Runtime.

    Its only input is (N, 3, size_px, size_px), where N may be fixed to 1; its first output is
    (N, classes), logits. `card` describes its crop. Raises WeightsMissingError without the file or
    the runtime, WeightsInvalidError where the graph is not such a network.
    """

    def __init__(
        self, name: str, card: LivenessInput, path: Path, *, device: str, threads: CpuThreads
    ) -> None:
        runtime()  # reports a missing package before a missing file
        if not path.is_file():
            raise WeightsMissingError(f"there is no weights file {path}")
        content = path.read_bytes()
        self.name = name
        self.card = card
        self.digest = hashlib.sha256(content).hexdigest()
        """SHA-256 of the file, in hexadecimal."""
        try:
            options = RunOptions(device, half=False, threads=threads)
            self._session = OnnxRuntimeSession(content, options)
            blank = np.zeros((1, card.size_px, card.size_px, 3), dtype=np.uint8)
            logits = self._logits(blank)
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise WeightsInvalidError(f"{path} does not run on a crop: {error}") from error
        if logits.ndim != 2 or len(logits) != 1 or logits.shape[1] <= card.genuine_class:
            raise WeightsInvalidError(
                f"{path} answers shape {logits.shape} for one crop; {name} answers scores of "
                f"at least {card.genuine_class + 1} classes"
            )
        self._at_once = 1 if self._session.input_shape[0] == 1 else _MAX_BATCH

    def scores(self, crops: Crops) -> Scores:
        """Score RGB crops (N, size_px, size_px, 3): the probability of a genuine face, by softmax.

        Safe to call from several threads at once.
        """
        if not len(crops):
            return np.empty(0)
        begins = range(0, len(crops), self._at_once)
        logits = np.concatenate([self._logits(crops[at : at + self._at_once]) for at in begins])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers[:, self.card.genuine_class] / powers.sum(axis=1))

    def _logits(self, crops: Crops) -> NDArray[np.float64]:
        x = as_input(crops, self.card.mean, self.card.std, self.card.colours)
        return self._session.run(x.transpose(0, 3, 1, 2)).astype(np.float64)
