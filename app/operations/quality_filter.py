"""Which faces are too bad to be used, and what is said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.errors import Reason
from app.operations.choices import QualityFilter
from app.recognition.quality.scales import SCALES
from app.recognition.types import FaceQuality, QualityComponent


@dataclass(frozen=True, slots=True)
class Shortcomings:
    """Why a face is refused: stable codes, each once, and a text with value, demand and remedy."""

    reasons: tuple[Reason, ...]
    detail: str

    def __bool__(self) -> bool:
        return bool(self.reasons)


def shortcomings(quality: FaceQuality, wanted: QualityFilter) -> Shortcomings:
    """What a face lacks of what a level demands, worst first; nothing when it is good enough.

    A face whose direction is not clear is refused at every level: an embedding of it would be like
    those of other faces that are the wrong way up.
    """
    if not quality.direction_is_clear:
        return _UNCLEAR_DIRECTION
    lacking = sorted(
        (measured.score, component)
        for component, measured in quality.components.items()
        if measured.score < wanted.least_score
    )
    reasons = dict.fromkeys(_TEXTS[component].reason for _, component in lacking)
    details = [_detail(component, quality, wanted) for _, component in lacking]
    return Shortcomings(tuple(reasons), "; ".join(details))


_UNCLEAR_DIRECTION: Final = Shortcomings(
    (Reason.UNCLEAR_DIRECTION,),
    "the face could stand in several directions: turn the photo so that the face is upright",
)


@dataclass(frozen=True, slots=True)
class _Text:
    """`fact` has a place for the value; `unit` follows value and demand, which are multiplied."""

    reason: Reason
    fact: str
    remedy: str
    unit: str = ""
    factor: float = 1
    digits: int = 3

    def value(self, raw: float) -> str:
        return f"{raw * self.factor:.{self.digits}f}{self.unit}"


_TEXTS: Final[Mapping[QualityComponent, _Text]] = MappingProxyType(
    {
        QualityComponent.FACE_SIZE: _Text(
            Reason.SMALL_FACE,
            "the eyes are {} apart",
            "send a larger photo, or come closer",
            unit=" pixels",
            digits=1,
        ),
        QualityComponent.SHARPNESS: _Text(
            Reason.LOW_SHARPNESS,
            "the face is blurred (sharpness {})",
            "focus on the face and hold still",
        ),
        QualityComponent.NOISE: _Text(
            Reason.LOW_SHARPNESS,
            "the face is drowned in noise ({})",
            "use more light",
        ),
        QualityComponent.COMPRESSION: _Text(
            Reason.LOW_SHARPNESS,
            "compression has left blocks of the face ({})",
            "save the photo with a higher quality",
        ),
        QualityComponent.UNDEREXPOSURE: _Text(
            Reason.LOW_BRIGHTNESS,
            "the face is too dark (brightness {})",
            "use more light",
            unit=" %",
            factor=100,
            digits=1,
        ),
        QualityComponent.OVEREXPOSURE: _Text(
            Reason.HIGH_BRIGHTNESS,
            "{} of the face are burnt out to white",
            "use less light, or expose for the face",
            unit=" %",
            factor=100,
            digits=0,
        ),
        QualityComponent.CONTRAST: _Text(
            Reason.LOW_CONTRAST,
            "the face is flat (contrast {})",
            "avoid haze, glass and light from behind",
            unit=" %",
            factor=100,
            digits=1,
        ),
        QualityComponent.YAW: _Text(
            Reason.EXTREME_POSE,
            "the head is turned to the side ({} of the eye distance)",
            "look at the camera",
        ),
        QualityComponent.PITCH: _Text(
            Reason.EXTREME_POSE,
            "the head is raised or lowered ({} of the face's height)",
            "hold the camera at the height of the eyes",
        ),
        QualityComponent.ROLL: _Text(
            Reason.EXTREME_POSE,
            "the head is tilted by {}",
            "hold head and camera upright",
            unit=" degrees",
            digits=0,
        ),
        QualityComponent.CROPPING: _Text(
            Reason.CROPPED_FACE,
            "{} of the face are beyond the photo's border",
            "send a photo with all of the face",
            unit=" %",
            factor=100,
            digits=0,
        ),
        QualityComponent.DETECTION: _Text(
            Reason.LOW_DETECTION_SCORE,
            "it is hardly a face to the detector (score {})",
            "send a photo with the face uncovered and upright",
            digits=4,
        ),
    }
)


def _detail(component: QualityComponent, quality: FaceQuality, wanted: QualityFilter) -> str:
    text, scale = _TEXTS[component], SCALES[component]
    bound = "least" if scale.more_is_better else "most"
    demand = text.value(scale.raw(wanted.least_score))
    fact = text.fact.format(text.value(quality.components[component].raw))
    return f"{fact}; quality_filter={wanted} wants at {bound} {demand}: {text.remedy}"
