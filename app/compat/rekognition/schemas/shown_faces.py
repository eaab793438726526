"""Faces as outputs show them. Places are ratios of the image's size, rates are percentages."""

from app.compat.rekognition.schemas.base import Output


class BoundingBox(Output):
    width: float
    height: float
    left: float
    top: float


class Landmark(Output):
    type: str
    x: float
    y: float


class Pose(Output):
    """Degrees, -180 to 180; yaw and pitch are estimates from five landmarks."""

    roll: float
    yaw: float
    pitch: float


class ImageQuality(Output):
    """0 to 100."""

    brightness: float
    sharpness: float


class ComparedFace(Output):
    """A face of an image that is compared."""

    bounding_box: BoundingBox
    confidence: float
    landmarks: list[Landmark]
    pose: Pose
    quality: ImageQuality | None = None


class FaceDetail(ComparedFace):
    """A face of an image.

    Attributes that Vultus does not measure (age, gender, emotions and others) are left out, also
    when they are asked for.
    """


class ComparedSourceFace(Output):
    bounding_box: BoundingBox
    confidence: float


class Face(Output):
    """A face of a collection."""

    face_id: str
    bounding_box: BoundingBox | None = None
    image_id: str | None = None
    external_image_id: str | None = None
    confidence: float | None = None
    index_faces_model_version: str | None = None
    user_id: str | None = None
