"""Values that travel between recognition, gallery and API."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from app.recognition.head_pose import HeadPose, head_pose

Pixels = NDArray[np.uint8]
"""RGB, shape (height, width, 3), upright."""

Landmarks = NDArray[np.float32]
"""Shape (5, 2), (x, y) in pixels of the upright image.

Order: left eye, right eye, nose, left and right mouth corner; left and right are those of a viewer
who sees the face upright.
"""

Embedding = NDArray[np.float32]
"""Shape (dimension,), Euclidean length 1."""

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the upright image, inside it."""


_MARGIN = 0.05
"""Share of a box's side. Boxes reach over the chin: this much is no part of the face."""


def cosine(inner_product: float) -> float:
    """Similarity of unit vectors, -1 to 1; rounding may leave their product a hair outside."""
    return max(-1.0, min(1.0, inner_product))


@dataclass(frozen=True, slots=True)
class ModelId:
    """The network of an embedding. Embeddings of different ids cannot be compared."""

    name: str
    digest: str
    dimension: int


class Shade(StrEnum):
    """The shade of a picture that shows nothing."""

    DARK = "dark"
    BRIGHT = "bright"
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Size of the upright image, in pixels, and which part of the file it shows."""

    width: int
    height: int
    rows_decoded: int | None = None
    """Rows that the file holds, counted as stored; None when it holds all."""
    frames: int = 1
    """Pictures in the file: pages, frames of an animation, views."""
    frame_used: int = 0
    """The place of this picture among them, from 0."""
    shade: Shade | None = None
    """Shade of a picture that shows nothing; None with faces, and where it shows something."""
    smallest_face_px: int | None = field(default=None, compare=False)
    """Side of the smallest face that was looked for; None before a detector ran."""


@dataclass(frozen=True, slots=True)
class Photo:
    """An upright photo of `size`, whose `pixels` may be those of a smaller copy.

    `part_there` is the part that the file holds (left, top, right and bottom as shares of width and
    height): all of it, unless the file is cut off. The rest is gray.
    """

    pixels: Pixels
    size: ImageSize
    part_there: Box = (0.0, 0.0, 1.0, 1.0)

    @property
    def factors(self) -> tuple[float, float]:
        """Pixels of the photo for each of `pixels`, across and down; 1 or more."""
        height, width = self.pixels.shape[:2]
        return self.size.width / width, self.size.height / height

    @property
    def is_reduced(self) -> bool:
        return self.factors != (1.0, 1.0)

    def holds(self, box: Box) -> bool:
        """Return whether the file holds all of a box (in pixels of `pixels`) but a small margin."""
        height, width = self.pixels.shape[:2]
        left, top, right, bottom = self.part_there
        x1, y1, x2, y2 = box
        across, down = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
        return bool(
            x1 >= left * width - across
            and y1 >= top * height - down
            and x2 <= right * width + across
            and y2 <= bottom * height + down
        )


class Direction(IntEnum):
    """The direction of the top of a face: degrees clockwise from the top of the photo."""

    UPRIGHT = 0
    TO_THE_RIGHT = 90
    UPSIDE_DOWN = 180
    TO_THE_LEFT = 270


@dataclass(frozen=True, slots=True)
class Liveness:
    """The probability that a camera saw the face itself, not a picture of it: `score`, 0 to 1.

    `threshold`: the least score that counts as live; None where there is none.
    """

    score: float
    threshold: float | None = None

    @property
    def live(self) -> bool | None:
        """Return whether the score reaches the threshold; None without one."""
        return None if self.threshold is None else self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """`score` is the detector's, 0 to 1; its card says what it means. `certainty` is the
    probability of a face by MTCNN's output network, where `score` is something else. `liveness` is
    None unless it was asked for.

    `landmarks` are those of the face in its `direction`. Where that is None, the face looks alike
    in several directions, and the landmarks of the best one are not good enough to recognise it.
    """

    box: Box
    landmarks: Landmarks
    score: float
    direction: Direction | None = Direction.UPRIGHT
    liveness: Liveness | None = None
    certainty: float | None = None

    @property
    def area_px(self) -> float:
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    @property
    def centre(self) -> tuple[float, float]:
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def pose(self) -> HeadPose:
        """Angles of the head: estimates, made of the landmarks each time that they are read."""
        return head_pose(self.landmarks)

    def moved(self, right: int, down: int) -> "DetectedFace":
        """The same face in a larger photo, in which this photo begins at (right, down)."""
        x1, y1, x2, y2 = self.box
        box = (x1 + right, y1 + down, x2 + right, y2 + down)
        landmarks = self.landmarks + np.array([right, down], dtype=np.float32)
        return replace(self, box=box, landmarks=landmarks)

    def enlarged(self, factors: tuple[float, float]) -> "DetectedFace":
        """The same face in a copy of the photo that is larger by these factors (x, y)."""
        across, down = factors
        x1, y1, x2, y2 = self.box
        points = (self.landmarks + 0.5) * np.array(factors, dtype=np.float32) - 0.5  # centres
        box = (x1 * across, y1 * down, x2 * across, y2 * down)
        return replace(self, box=box, landmarks=points)


class QualityComponent(StrEnum):
    """A property by which a photo of a face is good or bad, after ISO/IEC 29794-5; stable names."""

    FACE_SIZE = "face_size"
    """Distance of the eyes, in pixels of the photo."""
    SHARPNESS = "sharpness"
    """Detail of 4 pixels of the crop, in the direction with the least detail, without noise,
    divided by the strength of the coarse structure. About 0.8 in a sharp photo, 0.2 beyond use."""
    NOISE = "noise"
    """Standard deviation of noise, divided by the strength of the coarse structure, 0 and up."""
    COMPRESSION = "compression"
    """Flatness between sudden steps, as strong compression leaves it: 0 where the differences of
    neighbours are normally distributed, towards 1 where a few neighbours have all differences."""
    UNDEREXPOSURE = "underexposure"
    """Mean luminance, 0 to 1."""
    OVEREXPOSURE = "overexposure"
    """Share of the face with a luminance of 247 or more of 255."""
    CONTRAST = "contrast"
    """Standard deviation of luminance, 0 to 0.5."""
    YAW = "yaw"
    """Distance of the nose from the middle line of the face, in distances of the eyes: 0 from the
    front, about 0.5 in half profile."""
    PITCH = "pitch"
    """Distance of the nose above or below its place in a face from the front, in distances from the
    eyes to the mouth."""
    ROLL = "roll"
    """Angle between the line through the eyes and the horizontal, 0 to 180, after the photo was
    turned by quarters so that the face is upright."""
    CROPPING = "cropping"
    """Share of the face beyond the photo's border."""
    OCCLUSION = "occlusion"
    """Difference between parts of the face: eyes and mouth, or the left and the right side, in
    detail; chin and cheeks, or the two sides, in color. Few faces that nothing covers reach 1."""
    DETECTION = "detection"
    """Probability of a face by the detector, 0 to 1."""
    DISTINCTIVENESS = "distinctiveness"
    """Distance of the embedding from those of strangers, on a scale of 0 to 1."""


@dataclass(frozen=True, slots=True)
class ComponentQuality:
    """`raw` is the measured value, in the component's own unit; `score` is 0 (beyond use) to 100
    (nothing to gain)."""

    raw: float
    score: float


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Quality by component; `distinctiveness` only by an embedder for which it was measured.

    `direction_is_clear`: it is certain where the top of the face points. If not, the components
    mean little, and the face must not be recognised.

    `recognisable_by`: the component that alone decides whether the face can be recognised, however
    low the others are; None where all components decide.
    """

    components: Mapping[QualityComponent, ComponentQuality]
    direction_is_clear: bool = True
    recognisable_by: QualityComponent | None = None

    @property
    def unified(self) -> float:
        """0 to 100: a photo is as good as the worst of its components."""
        return min(component.score for component in self.components.values())

    @property
    def brightness(self) -> float:
        """0 (too dark, or burnt out) to 100; only of a face that was seen on a photo."""
        under, over = QualityComponent.UNDEREXPOSURE, QualityComponent.OVEREXPOSURE
        return min(self.components[under].score, self.components[over].score)

    @property
    def sharpness(self) -> float:
        """0 (beyond use) to 100; only of a face that was seen on a photo."""
        return self.components[QualityComponent.SHARPNESS].score


@dataclass(frozen=True, slots=True)
class WideCrop:
    """A crop of a face from which the crop of any network can be cut; see `wide_crop.py`.

    `landmarks` are in pixels of the crop.
    """

    pixels: Pixels
    landmarks: Landmarks


@dataclass(frozen=True, slots=True)
class EmbeddedFace:
    """`next_embedding` is by the service's next embedder, if there is one; `wide_crop` is None
    unless it was asked for."""

    face: DetectedFace
    embedding: Embedding
    quality: FaceQuality
    next_embedding: Embedding | None = None
    wide_crop: WideCrop | None = None


@dataclass(frozen=True, slots=True)
class AssessedFace:
    """A face with its quality, as far as it shows without an embedding."""

    face: DetectedFace
    quality: FaceQuality


@dataclass(frozen=True, slots=True)
class DetectedPhoto:
    """Faces of one photo, largest first; `assessed` are those whose quality was asked for."""

    size: ImageSize
    faces: tuple[DetectedFace, ...]
    assessed: tuple[AssessedFace, ...] = ()


@dataclass(frozen=True, slots=True)
class CutPhoto:
    """`detected` are all faces, largest first; `crops` show the selected ones."""

    size: ImageSize
    detected: tuple[DetectedFace, ...]
    crops: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """`detected` are all faces, largest first; `faces` are the selected ones.

    `sha256` is that of the file.
    """

    size: ImageSize
    sha256: str
    detected: tuple[DetectedFace, ...]
    faces: tuple[EmbeddedFace, ...]
