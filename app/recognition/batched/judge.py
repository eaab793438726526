"""MTCNN's output network on squares in many pictures at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.recognition.batched.pictures import Pictures, on_device
from app.recognition.batched.sample import touched_means
from app.recognition.detect.direction import OTHERS, UPRIGHT, Quarters
from app.recognition.detect.found_faces import NO_FACES, FoundFaces
from app.recognition.detect.mtcnn.boxes import (
    Boxes,
    Scores,
    best_of_nested_apart,
    inside,
    squared,
)
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.judge import LEAST_SCORE, OVERLAP, faces_in, log_odds

_SIDE_PX: Final = 48
_MOST_CROPS: Final = 4_096
"""In one pass, which bounds its memory."""

Places = NDArray[np.int64]
Network = Callable[[Tensor], Sequence[Tensor]]
"""Maps crops (N, 3, 48, 48) to corrections (N, 4), landmarks (N, 10) and probabilities (N, 2)."""


class Judge:
    """The output network, and the pictures that it sees."""

    def __init__(self, network: Network, pictures: Pictures) -> None:
        self._network = network
        self._pictures = pictures

    def locate(self, places: Places, squares: Boxes, quarters: Quarters) -> FoundFaces:
        """The faces in squares of the pictures at `places`, each in its direction."""
        if not len(places):
            return NO_FACES
        parts, there = self._inside(squares, places)
        crops = self._crops(parts, places)
        for direction in OTHERS:
            (own,) = np.nonzero(quarters == direction)
            if len(own):
                chosen = on_device(own, crops.device)
                crops[chosen] = crops[chosen].rot90(direction, (1, 2))
        outputs = self._outputs(crops).cpu().numpy()
        corrections, points, likely = outputs[:, :4], outputs[:, 4:14], outputs[:, 15]
        (good,) = np.nonzero(there & (likely > LEAST_SCORE))
        found = faces_in(
            Candidates(squares[good], quarters[good]), corrections[good], points[good], likely[good]
        )
        found = replace(found, places=places[good])
        kept = best_of_nested_apart(
            found.boxes, found.scores, found.places * 4 + found.quarters, most=OVERLAP
        )
        return found.where(kept)

    def odds(self, faces: FoundFaces, *, mirrored: bool = False) -> Scores:
        """`direction_odds` of faces in the pictures at their `places`."""
        parts, _ = self._inside(squared(faces.boxes), faces.places)
        crops = self._crops(parts, faces.places)
        if mirrored:
            crops = crops.flip(2)
        turns = [(-1 if mirrored else 1) * direction for direction in (UPRIGHT, *OTHERS)]
        seen = torch.cat([crops.rot90(turn, (1, 2)) for turn in turns])
        scores = self._outputs(seen)[:, 15].cpu().numpy()
        return np.asarray(log_odds(scores).reshape(4, len(faces)).T)

    def _inside(
        self, squares: Boxes, places: Places
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        widths, heights = self._pictures.sizes[places].T
        return inside(squares, width=widths, height=heights)

    def _crops(self, parts: NDArray[np.int64], places: Places) -> Tensor:
        device = self._pictures.device
        known = on_device(np.concatenate([places[:, None], parts], axis=1), device)
        return touched_means(self._pictures, known[:, 0], known[:, 1:], _SIDE_PX)

    def _outputs(self, crops: Tensor) -> Tensor:
        """Corrections, landmarks and probabilities, (N, 16)."""
        x = crops.permute(0, 3, 1, 2)
        return torch.cat(
            [torch.cat(list(self._network(some)), dim=1) for some in torch.split(x, _MOST_CROPS)]
        )
