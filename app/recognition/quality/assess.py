"""The quality of one face of a photo."""

from collections.abc import Mapping
from dataclasses import replace

from app.recognition.quality.measures import RawQuality, measure
from app.recognition.quality.scales import SCALES
from app.recognition.types import (
    ComponentQuality,
    DetectedFace,
    FaceQuality,
    Pixels,
    QualityComponent,
)


def assess(photo: Pixels, face: DetectedFace, *, factor: float = 1.0) -> FaceQuality:
    """Measure and score a face of an upright RGB photo, of which this may be a copy that is
    `factor` times as small."""
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
        QualityComponent.DETECTION: measured.detection_score,
    }
    return FaceQuality(
        {
            name: ComponentQuality(raw[name], scale.score(raw[name]))
            for name, scale in SCALES.items()
        }
    )
