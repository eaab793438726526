"""Faces of many photos: cut out, embedded and measured on a device, and copied back once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.recognition.align import REGION_MARGIN_PX
from app.recognition.batched.crops import cut, inverted, similarity_transforms
from app.recognition.batched.measures import OF_PIXELS, measure_crops, measure_landmarks
from app.recognition.batched.pictures import Pictures, canvas_side
from app.recognition.on_device import AskedFace, SeenFaces
from app.recognition.quality.assess import score_all
from app.recognition.quality.measures import CROP
from app.recognition.types import Pixels, QualityComponent
from models.zoo.network import InputSpec, Network
from models.zoo.serving.torch_network import TorchNetwork

_WHOLE_UP_TO: Final = 1_000_000
"""Pixels of a photo that is uploaded as a whole; of a larger one, the surroundings of its faces."""

_MOST_PIXELS: Final = 32_000_000
"""Pixels that are on the device at once."""

_MOST_OF_PIECE: Final = 8_000_000
"""Pixels of the surroundings of one face; larger ones are reduced first."""

_MOST_CROPS: Final = 256
"""Crops in one pass through an embedder."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pictures to upload, and for each face which of them shows it, with landmarks (N, 5, 2) in
    its pixels."""

    pictures: list[Pixels]
    places: NDArray[np.int64]
    landmarks: Floats

    @classmethod
    def of(cls, faces: Sequence[AskedFace], landmarks: Floats, specs: Sequence[InputSpec]) -> Self:
        pictures: list[Pixels] = []
        known: dict[int, int] = {}
        places = np.empty(len(faces), dtype=np.int64)
        moved = landmarks.copy()
        for number, asked in enumerate(faces):
            height, width = asked.pixels.shape[:2]
            if width * height > _WHOLE_UP_TO:
                places[number] = len(pictures)
                piece, moved[number] = _surroundings(asked.pixels, landmarks[number], specs)
                pictures.append(piece)
                continue
            place = known.setdefault(id(asked.pixels), len(pictures))
            if place == len(pictures):
                pictures.append(asked.pixels)
            places[number] = place
        return cls(pictures, places, moved)


class TorchFaces:
    """Faces on a device, embedded by networks that are there; it is a `FacesOnDevice`."""

    def __init__(self, networks: Sequence[TorchNetwork], *, device: torch.device) -> None:
        self._networks = networks
        self._device = device
        self._specs = [CROP, *(network.spec.input for network in networks)]

    def see(self, faces: Sequence[AskedFace]) -> SeenFaces:
        """Cut out, measure and embed the faces."""
        if not faces:
            empty = [np.empty((0, one.spec.dimension), dtype=np.float32) for one in self._networks]
            return SeenFaces([], empty)
        landmarks = np.stack([asked.face.landmarks for asked in faces]).astype(np.float64)
        embed = np.array([asked.embed for asked in faces])
        measured, rows = [], []
        for begin, end in _passes(faces):
            pieces = _Pieces.of(faces[begin:end], landmarks[begin:end], self._specs)
            values, *some = self._pass(pieces, embed[begin:end])
            measured.append(values)
            rows.append(some)
        raw = self._raw(faces, landmarks, np.concatenate(measured))
        clear = [asked.face.direction is not None for asked in faces]
        by_network = [np.concatenate(some) for some in zip(*rows, strict=True)]
        return SeenFaces(score_all(raw, clear), by_network)

    def _pass(self, pieces: _Pieces, embed: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
        """Measures of all faces, and by each network the rows of those that are embedded; copied
        from the device together."""
        networks = self._networks if embed.any() else ()
        with torch.inference_mode():
            pictures = Pictures.uploaded(pieces.pictures, self._device)
            crops = cut(pictures, pieces.places, pieces.landmarks, CROP)
            results = [measure_crops(crops)]
            for network in networks:
                spec = network.spec.input
                is_same = (spec.size_px, spec.template) == (CROP.size_px, CROP.template)
                own = crops if is_same else cut(pictures, pieces.places, pieces.landmarks, spec)
                results.append(_embedded(network, own))
            values = torch.cat(results, dim=1).cpu().numpy()
        measured, rows = values[:, : len(OF_PIXELS)], values[embed, len(OF_PIXELS) :]
        found = [measured]
        for network in self._networks:
            dimension = network.spec.dimension
            found.append(rows[:, :dimension] if networks else np.empty((0, dimension), np.float32))
            rows = rows[:, dimension:]
        return found

    def _raw(
        self, faces: Sequence[AskedFace], landmarks: Floats, measured: NDArray[np.float32]
    ) -> dict[QualityComponent, Floats]:
        """Raw values of all components, in the order of `quality/measures.py`."""
        sizes = np.array([asked.pixels.shape[1::-1] for asked in faces], dtype=np.int64)
        directions = np.array([float(asked.face.direction or 0) for asked in faces])
        raw = measure_landmarks(landmarks, directions, sizes)
        raw[QualityComponent.FACE_SIZE] *= np.array([asked.factor for asked in faces])
        raw |= dict(zip(OF_PIXELS, measured.T.astype(np.float64), strict=True))
        raw[QualityComponent.DETECTION] = np.array(
            [
                asked.face.score if asked.face.certainty is None else asked.face.certainty
                for asked in faces
            ]
        )
        return {name: raw[name] for name in QualityComponent if name in raw}


def torch_faces(networks: Sequence[Network], *, device: str) -> TorchFaces | None:
    """The faces on a device; None where a network does not run in PyTorch there."""
    own = [network for network in networks if isinstance(network, TorchNetwork)]
    if len(own) < len(networks):
        return None
    return TorchFaces(own, device=torch.device(device))


def _embedded(network: TorchNetwork, crops: Tensor) -> Tensor:
    rows = []
    for some in torch.split(crops, _MOST_CROPS):
        if network.spec.mirror_average:
            straight, mirrored = network.embed(torch.cat([some, some.flip(2)])).chunk(2)
            rows.append((straight + mirrored) / 2)
        else:
            rows.append(network.embed(some))
    return torch.cat(rows)


def _passes(faces: Sequence[AskedFace]) -> list[tuple[int, int]]:
    """Begins and ends of the faces whose photos are on the device together."""
    bounds, left = [0], _MOST_PIXELS
    for number, asked in enumerate(faces):
        height, width = asked.pixels.shape[:2]
        area = min(canvas_side(width) * canvas_side(height), 2 * _MOST_OF_PIECE)
        if area > left and number > bounds[-1]:
            bounds.append(number)
            left = _MOST_PIXELS
        left -= area
    return list(zip(bounds, [*bounds[1:], len(faces)], strict=True))


def _surroundings(
    photo: Pixels, landmarks: Floats, specs: Sequence[InputSpec]
) -> tuple[Pixels, Floats]:
    """The part of a photo that the crops of a face cover, and its landmarks there."""
    height, width = photo.shape[:2]
    begins, ends = [], []
    for spec in specs:
        template = np.asarray(spec.template, dtype=np.float64)
        transform = similarity_transforms(landmarks[None], template)
        inverse = inverted(transform)[0]
        size = spec.size_px
        corners = np.array([[0, 0], [size, 0], [0, size], [size, size]])
        covered = corners @ inverse[:, :2].T + inverse[:, 2]
        margin = REGION_MARGIN_PX / min(float(np.hypot(*transform[0, :, 0])), 1.0) + 1
        begins.append(np.floor(covered.min(axis=0) - margin))
        ends.append(np.ceil(covered.max(axis=0) + margin))
    left, top = np.clip(np.min(begins, axis=0), 0, (width - 1, height - 1)).astype(int).tolist()
    ends_inside = np.clip(np.max(ends, axis=0), (left + 1, top + 1), (width, height))
    right, bottom = ends_inside.astype(int).tolist()
    part = photo[top:bottom, left:right]
    moved = landmarks - (left, top)
    factor = int(np.ceil(np.sqrt(part.shape[0] * part.shape[1] / _MOST_OF_PIECE)))
    if factor > 1:
        smaller = max(1, part.shape[1] // factor), max(1, part.shape[0] // factor)
        per_axis = np.array(smaller) / part.shape[1::-1]
        part = np.asarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        moved = (moved + 0.5) * per_axis - 0.5
    return part, moved
