"""The quality of one face of a photo."""

from dataclasses import replace

import numpy as np

from app.recognition.quality.measures import measure
from app.recognition.quality.scales import SCALES
from app.recognition.types import (
    ComponentQuality,
    DetectedFace,
    Embedding,
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


def with_distinctiveness(
    quality: FaceQuality,
    embedding: Embedding,
    measure: Distinctiveness,
    *,
    norm: float | None = None,
) -> FaceQuality:
    """Add the distinctiveness of a face, by its embedding.

    `norm` is the length of the embedding before it was divided by it; None where it is not known.
    """
    name = QualityComponent.DISTINCTIVENESS
    norms = None if norm is None else np.array([norm], dtype=np.float32)
    value = float(measure.of(embedding[None], norms)[0])
    return replace(
        quality,
        components={**quality.components, name: _scored(name, value)},
        recognisable_by=name if measure.norms is not None and norms is not None else None,
    )


def _scored(name: QualityComponent, raw: float) -> ComponentQuality:
    return ComponentQuality(raw, SCALES[name].score(raw))
