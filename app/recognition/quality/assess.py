"""The quality of one face of a photo."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.recognition.quality.measures import RawQuality, measure
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


def assess(photo: Pixels, face: DetectedFace, *, factor: float = 1.0) -> FaceQuality:
    """Measure and score a face of an upright RGB photo, or of a copy that is smaller by
    `factor`."""
    measured = measure(photo, face)
    if factor != 1.0:
        measured = replace(measured, eye_distance_px=measured.eye_distance_px * factor)
    return replace(scored(measured), direction_is_clear=face.direction is not None)


def scored(measured: RawQuality) -> FaceQuality:
    raw: Mapping[QualityComponent, float] = {
        QualityComponent.FACE_SIZE: measured.eye_distance_px,
        QualityComponent.SHARPNESS: measured.sharpness,
        QualityComponent.NOISE: measured.noise,
        QualityComponent.COMPRESSION: measured.blockiness,
        QualityComponent.UNDEREXPOSURE: measured.brightness,
        QualityComponent.OVEREXPOSURE: measured.overexposed,
        QualityComponent.CONTRAST: measured.contrast,
        QualityComponent.YAW: measured.yaw,
        QualityComponent.PITCH: measured.pitch,
        QualityComponent.ROLL: measured.roll_degrees,
        QualityComponent.CROPPING: measured.outside,
        QualityComponent.OCCLUSION: measured.unevenness,
        QualityComponent.DETECTION: measured.detection_score,
    }
    return FaceQuality(
        {name: ComponentQuality(value, SCALES[name].score(value)) for name, value in raw.items()}
    )


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
    added = {name: ComponentQuality(value, SCALES[name].score(value))}
    return replace(
        quality,
        components={**quality.components, **added},
        recognisable_by=name if measure.norms is not None and norms is not None else None,
    )
