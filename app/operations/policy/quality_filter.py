"""The quality that faces must have, and the reasons why they have not.

A reason is the cause, if it is known: a mask makes a face less sharp, but better focus would not
help. If the cause is not known, the reason says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.errors import Reason
from app.operations.policy.face_rules import QualityFilter
from app.recognition.quality.scales import SCALES
from app.recognition.types import FaceQuality, QualityComponent


@dataclass(frozen=True, slots=True)
class Shortcomings:
    """The reasons why a face is refused: stable codes, each once, and a text with value, demand and
    remedy. It is false without any.
    """

    reasons: tuple[Reason, ...]
    detail: str

    def __bool__(self) -> bool:
        return bool(self.reasons)


def shortcomings(quality: FaceQuality, wanted: QualityFilter) -> Shortcomings:
    """The demands of a level that a face does not meet, worst first.

    A face whose direction is not clear is refused at every level: its embedding would be like those
    of other faces that are the wrong way up.
    """
    if not quality.direction_is_clear:
        return _unclear_direction(quality, wanted)
    lacking = sorted(
        (measured.score, component)
        for component, measured in quality.components.items()
        if measured.score < wanted.least_score and _counts(component, quality, wanted)
    )
    details: dict[QualityComponent | None, str] = {}
    for _, component in lacking:
        cause = _cause(component, quality)
        if cause is component or cause not in details:  # a component's own text wins
            details[cause] = _detail(component, cause, quality, wanted)
    reasons = dict.fromkeys(
        Reason.UNRELIABLE_FACE if cause is None else _TEXTS[cause].reason for cause in details
    )
    return Shortcomings(tuple(reasons), "; ".join(details.values()))


def _counts(component: QualityComponent, quality: FaceQuality, wanted: QualityFilter) -> bool:
    """Return whether a level applies to a component: the floor is about recognition alone."""
    return wanted is not QualityFilter.FLOOR or quality.recognisable_by in {None, component}


def _unclear_direction(quality: FaceQuality, wanted: QualityFilter) -> Shortcomings:
    """Name the reason as well, if the face is cut off."""
    cut = QualityComponent.CROPPING
    if _score(cut, quality) >= wanted.least_score:
        return _UNCLEAR_DIRECTION
    return Shortcomings(
        (_TEXTS[cut].reason, *_UNCLEAR_DIRECTION.reasons),
        f"{_detail(cut, cut, quality, wanted)}; {_UNCLEAR_DIRECTION.detail}",
    )


def _cause(component: QualityComponent, quality: FaceQuality) -> QualityComponent | None:
    """The component that is the cause of a low score; None if it is not known.

    It does not depend on the level, so that a stricter level has all reasons of a milder one.
    """
    evenness = _score(QualityComponent.OCCLUSION, quality)
    if _score(QualityComponent.CROPPING, quality) < _SURELY_BAD_BELOW:
        # Beyond the border, a crop is black; that is no cover.
        evenness = 100.0
        if component is QualityComponent.OCCLUSION:
            return QualityComponent.CROPPING
    if component in _LOWERED_BY_COVERS and evenness < _COVERED_BELOW:
        return QualityComponent.OCCLUSION
    if component in _FAULTS_OF_THE_WHOLE and evenness < _UNEVEN_BELOW:
        return None
    if component is QualityComponent.DISTINCTIVENESS:
        others = [name for name in quality.components if name is not component]
        worst = min(others, key=lambda name: _score(name, quality), default=component)
        bad = _score(worst, quality) < _SURELY_BAD_BELOW
        return _cause(worst, quality) if bad and worst is not component else None
    return component


def _score(component: QualityComponent, quality: FaceQuality) -> float:
    """The score; 100 if it was not measured, as of an embedding without a photo."""
    measured = quality.components.get(component)
    return 100.0 if measured is None else measured.score


_LOWERED_BY_COVERS: Final = frozenset(
    {
        QualityComponent.SHARPNESS,
        QualityComponent.COMPRESSION,
        QualityComponent.DETECTION,
        QualityComponent.DISTINCTIVENESS,
    }
)
_FAULTS_OF_THE_WHOLE: Final = frozenset({QualityComponent.SHARPNESS, QualityComponent.COMPRESSION})
"""Faults that are the same in all parts of a face; if parts differ, another fault lowers these."""
_COVERED_BELOW: Final = 40
_UNEVEN_BELOW: Final = 80
_SURELY_BAD_BELOW: Final = 60


_UNCLEAR_DIRECTION: Final = Shortcomings(
    (Reason.UNCLEAR_DIRECTION,),
    "the face could stand in several directions: turn the photo so that the face is upright",
)


@dataclass(frozen=True, slots=True)
class _Text:
    """`fact` has a place for the value. Value and demand are multiplied by `factor`, and `unit`
    follows them."""

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
        QualityComponent.OCCLUSION: _Text(
            Reason.OCCLUDED_FACE,
            "part of the face seems to be covered (its halves differ by {})",
            "send a photo without a mask, sunglasses, a scarf or a hand before the face",
        ),
        QualityComponent.DETECTION: _Text(
            Reason.LOW_DETECTION_SCORE,
            "the detector is not sure that this is a face (score {}); the cause was not determined",
            "send a photo with the face uncovered, upright and evenly lit",
            digits=4,
        ),
        QualityComponent.DISTINCTIVENESS: _Text(
            Reason.UNRELIABLE_FACE,
            "the face cannot be recognised reliably (distinctiveness {}); the cause was not "
            "determined",
            "send another photo, with the whole face uncovered, sharp and evenly lit",
        ),
    }
)


def _detail(
    component: QualityComponent,
    cause: QualityComponent | None,
    quality: FaceQuality,
    wanted: QualityFilter,
) -> str:
    text, scale = _TEXTS[component], SCALES[component]
    bound = "least" if scale.more_is_better else "most"
    demand = text.value(scale.raw(wanted.least_score))
    value = text.value(quality.components[component].raw)
    demanded = f"level {wanted} demands at {bound} {demand}"
    if cause is component:
        return f"{text.fact.format(value)}; {demanded}: {text.remedy}"
    measured = f"its {component} is {value}, and {demanded}"
    if cause is None:
        unknown = "the face cannot be recognised reliably; the cause was not determined"
        return f"{unknown}; {measured}: {_TEXTS[QualityComponent.DISTINCTIVENESS].remedy}"
    why = _TEXTS[cause]
    return f"{why.fact.format(why.value(quality.components[cause].raw))}; {measured}: {why.remedy}"
