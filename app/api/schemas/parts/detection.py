"""Options of finding the faces of a photo."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from app.api.schemas.parts.field_types import Flag, Schema, no_truth
from app.recognition.detection import Detection


class DetectionFields(Schema):
    """Options of finding faces, for all bodies with photos."""

    min_detection_score: Annotated[float, BeforeValidator(no_truth)] | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The least `detection_score` of a face; without it, the service's own decides "
        "(VULTUS_DETECTOR__MIN_SCORE). More faces are found below that, but no detector reports "
        "scores down to 0 (docs/photos.md).",
        examples=[0.95],
    )
    detect_faces: Flag = Field(
        True,
        description="false: the photo is a crop of one face that fills it, as detectors cut them "
        "out, and no face is searched. Its `detection_score` is low where it shows no face.",
    )

    def detection(self) -> Detection:
        return Detection(self.min_detection_score, is_crop=not self.detect_faces)
