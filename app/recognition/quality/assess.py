"""The quality of faces of photos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.recognition.quality.measures import measure
from app.recognition.quality.scales import SCALES
from app.recognition.types import (
    ComponentQuality,
    DetectedFace,
    FaceQuality,
    Pixels,
    QualityComponent,
)
from models.zoo.weights.distinctiveness import Distinctiveness


def assess(
    photo: Pixels, face: DetectedFace, *, factor: float = 1.0, crop: Pixels | None = None
) -> FaceQuality:
    """Measure and score a face of an upright RGB photo, or of a copy that is smaller by
    `factor`. `crop`: see `measure`."""
    raw = measure(photo, face, crop)
    raw[QualityComponent.FACE_SIZE] *= factor
    components = {name: _scored(name, value) for name, value in raw.items()}
    return FaceQuality(components, direction_is_clear=face.direction is not None)


def score_all(
    raw: Mapping[QualityComponent, NDArray[np.float64]], directions_are_clear: Sequence[bool]
) -> list[FaceQuality]:
    """The qualities of several faces, of raw values (N,) of each component."""
    columns = [
        list(map(ComponentQuality, values.tolist(), SCALES[name].scores(values).tolist()))
        for name, values in raw.items()
    ]
    return [
        FaceQuality(dict(zip(raw, row, strict=True)), direction_is_clear=clear)
        for row, clear in zip(zip(*columns, strict=True), directions_are_clear, strict=True)
    ]


def with_distinctiveness(
    qualities: Sequence[FaceQuality],
    embeddings: NDArray[np.float32],
    measure: Distinctiveness,
    *,
    norms: NDArray[np.float32] | None = None,
) -> list[FaceQuality]:
    """Add the distinctiveness of faces, by their embeddings (N, dimension).

    `norms` (N,) are the lengths of the embeddings before they were divided by them; None where they
    are not known.
    """
    name = QualityComponent.DISTINCTIVENESS
    decides = name if measure.norms is not None and norms is not None else None
    values = measure.of(embeddings, norms).tolist() if len(qualities) else []
    return [
        replace(
            quality,
            components={**quality.components, name: _scored(name, value)},
            recognisable_by=decides,
        )
        for quality, value in zip(qualities, values, strict=True)
    ]


def _scored(name: QualityComponent, raw: float) -> ComponentQuality:
    return ComponentQuality(raw, SCALES[name].score(raw))
