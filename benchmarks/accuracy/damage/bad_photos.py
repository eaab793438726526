"""Photos of faces as they should not be: dark, blurred, covered, tiny, the wrong way up.

Made on purpose from good photos whose landmarks are known. What covers a face is drawn over it, so
these are no photos of real masks; but they show what a network makes of a face whose half it cannot
see.
"""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Landmarks, Pixels
from benchmarks.accuracy.damage import other_covers
from benchmarks.accuracy.damage.cover_drawing import Frame, covered, rounded
from benchmarks.accuracy.damage.quality_damage import Damage, Rng

Make = Callable[[Pixels, Landmarks, Rng], Pixels]
"""A photo, the landmarks of its face, and where random choices come from."""

Color = tuple[int, int, int]

_MASKS: Final[tuple[Color, ...]] = (
    (150, 190, 215),
    (235, 235, 235),
    (25, 25, 28),
    (90, 130, 190),
    (200, 160, 170),
    (120, 120, 120),
    (60, 80, 60),
)


def _damaged(kind: str, strength: float) -> Make:
    return lambda photo, _, rng: Damage(kind, strength).on(photo, rng)


def _night(light: float, noise: float) -> Make:
    """A photo with this share of its light, and sensor noise of this standard deviation."""

    def make(photo: Pixels, _: Landmarks, rng: Rng) -> Pixels:
        return rounded(photo * light + rng.normal(0, noise, photo.shape))

    return make


def _tiny(eyes_px: float, *, blocks: bool = False) -> Make:
    """A face whose eyes were so many pixels apart, enlarged; smoothly, or as blocks."""

    def make(photo: Pixels, landmarks: Landmarks, _: Rng) -> Pixels:
        factor = eyes_px / Frame.of(landmarks).width
        height, width = photo.shape[:2]
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        way = cv2.INTER_NEAREST if blocks else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(small, (width, height), interpolation=way), dtype=np.uint8)

    return make


def _turned(quarters: int) -> Make:
    return lambda photo, _, __: np.ascontiguousarray(np.rot90(photo, quarters))


def _mask(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Cloth with folds from the nose to the chin."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    cloth = 1 - 0.25 * np.abs(across) - 0.08 * (down - 1)
    for fold in np.linspace(0.7, 1.5, 4):
        cloth *= 1 - 0.12 * np.exp(-(((down - fold - 0.05 * np.sin(3 * across)) / 0.03) ** 2))
    layer = np.array(_color(rng)) * cloth[..., None] + rng.normal(0, 3, photo.shape[:2])[..., None]
    return covered(photo, _lower_face(photo, frame, rng), layer)


def _plain_mask(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    layer = np.broadcast_to(np.array(_color(rng), dtype=np.float64), photo.shape)
    return covered(photo, _lower_face(photo, Frame.of(landmarks), rng), layer)


def _patterned_mask(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    size, shift = rng.uniform(8, 25), rng.uniform(0, 6)
    there = (np.sin(across * size + shift) * np.sin(down * size) > 0)[..., None]
    layer = np.where(there, np.array(_color(rng)), rng.uniform(0, 255, 3))
    return covered(
        photo, _lower_face(photo, frame, rng), layer * (1 - 0.2 * np.abs(across))[..., None]
    )


def _scarf(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Wool, with the texture that a mask has not."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    wool = cv2.GaussianBlur(rng.normal(0, 1, photo.shape[:2]), (0, 0), 1.5)
    light = 1 + 0.15 * wool / wool.std() + 0.1 * np.sin(down * 20 + 2 * np.sin(2 * across))
    layer = np.array(_color(rng)) * light[..., None]
    return covered(photo, _lower_face(photo, frame, rng), layer)


def _hand(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """A hand before the lower face, in the face's own color."""
    frame = Frame.of(landmarks)
    x, y = np.clip(frame.at(0, 0.25), 0, np.array(photo.shape[1::-1]) - 1).astype(int)
    across, _ = frame.coordinates(photo)
    fingers = 1 - 0.12 * np.abs(np.sin(across * 5))
    layer = photo[y, x].astype(np.float64) * fingers[..., None]
    return covered(photo, _lower_face(photo, frame, rng), layer)


def _sunglasses(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    frame = Frame.of(landmarks)
    _, down = frame.coordinates(photo)
    shade = np.full(photo.shape, rng.uniform(0, 40))
    shade += (30 * np.clip(0.4 - down, 0, 1))[..., None]
    return covered(photo, _lenses(photo, frame, landmarks, rng), shade)


def _tinted_glasses(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Through which the eyes are seen dimly."""
    tint = np.array([60.0, 45.0, 30.0]) * rng.uniform(0.6, 1.4)
    lenses = 0.8 * _lenses(photo, Frame.of(landmarks), landmarks, rng)
    return covered(photo, lenses, np.broadcast_to(tint, photo.shape))


def _in_turn(*makes: Make) -> Make:
    def make(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
        for one in makes:
            photo = one(photo, landmarks, rng)
        return photo

    return make


def _lower_face(photo: Pixels, frame: Frame, rng: Rng) -> NDArray[np.float32]:
    """Share of each pixel that a mask covers, 0 to 1."""
    top = rng.uniform(0.38, 0.55)
    outline = [(-1, top + 0.12), (-0.45, top + 0.03), (0, top - 0.08), (0.45, top + 0.03)]
    outline += [(1, top + 0.12), (0.95, 1.2), (0.6, 1.75), (0.2, 1.95)]
    outline += [(-0.2, 1.95), (-0.6, 1.75), (-0.95, 1.2)]
    points = np.array([frame.at(*point) for point in outline])
    covered = np.zeros(photo.shape[:2], dtype=np.float32)
    cv2.fillPoly(covered, [np.rint(points * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
    return covered


def _lenses(photo: Pixels, frame: Frame, landmarks: Landmarks, rng: Rng) -> NDArray[np.float32]:
    """Share of each pixel that glasses cover, 0 to 1."""
    radii = (rng.uniform(0.36, 0.46) * frame.width, rng.uniform(0.26, 0.36) * frame.width)
    angle = float(np.degrees(np.arctan2(frame.across[1], frame.across[0])))
    covered = np.zeros(photo.shape[:2], dtype=np.float32)
    for eye in landmarks[:2].astype(np.float64):
        x, y = np.rint((eye + frame.down * 0.05 * frame.width) * 16).astype(int).tolist()
        axes = (int(radii[0] * 16), int(radii[1] * 16))
        cv2.ellipse(covered, (x, y), axes, angle, 0, 360, (1.0,), -1, cv2.LINE_AA, 4)
    (x1, y1), (x2, y2) = np.rint(landmarks[:2]).astype(int).tolist()
    thickness = max(1, int(frame.width * 0.08))
    cv2.line(covered, (x1, y1), (x2, y2), (1.0,), thickness, cv2.LINE_AA)
    return covered


def _color(rng: Rng) -> Color:
    return _MASKS[int(rng.integers(len(_MASKS)))]


UNTOUCHED: Final = "untouched"
BAD_PHOTOS: Final[Mapping[str, Make]] = {
    UNTOUCHED: lambda photo, _, __: photo,
    "turned by 90": _turned(1),
    "turned by 180": _turned(2),
    "turned by 270": _turned(3),
    "blur of 2": _damaged("blur", 2),
    "blur of 3": _damaged("blur", 3),
    "blur of 4": _damaged("blur", 4),
    "blur of 6": _damaged("blur", 6),
    "blur of 8": _damaged("blur", 8),
    "motion of 15": _damaged("motion", 15),
    "motion of 21": _damaged("motion", 21),
    "night, 20 % light": _night(0.2, 15),
    "night, 12 % light": _night(0.12, 10),
    "night, 10 % light": _night(0.1, 6),
    "noise of 40": _damaged("noise", 40),
    "noise of 60": _damaged("noise", 60),
    "mask": _mask,
    "plain mask": _plain_mask,
    "patterned mask": _patterned_mask,
    "scarf": _scarf,
    "hand": _hand,
    "sunglasses": _sunglasses,
    "tinted glasses": _tinted_glasses,
    "mask and sunglasses": _in_turn(_mask, _sunglasses),
    "mask, blur of 2": _in_turn(_mask, _damaged("blur", 2)),
    "mask at night": _in_turn(_mask, _night(0.25, 8)),
    "blur of 3, noise of 12": _in_turn(_damaged("blur", 3), _damaged("noise", 12)),
    "blur of 2 at night": _in_turn(_damaged("blur", 2), _night(0.2, 8)),
    "JPEG 3": _damaged("jpeg", 3),
    "JPEG 5": _damaged("jpeg", 5),
    "JPEG 8": _damaged("jpeg", 8),
    "tiny, 5 px": _tiny(5),
    "tiny, 6 px": _tiny(6),
    "tiny, 8 px": _tiny(8),
    "blocks, 8 px": _tiny(8, blocks=True),
    "flat": _damaged("contrast", 0.12),
    "pleated mask": other_covers.pleated_mask,
    "veil": other_covers.veil,
    "hair": other_covers.hair,
    "visor": other_covers.visor,
    "phone": other_covers.phone,
    "half hidden": other_covers.half_hidden,
    "pleated mask, visor": _in_turn(other_covers.pleated_mask, other_covers.visor),
}
"""By kind. Blur, motion and noise have the strengths of quality_damage.py, for eyes 42 pixels
apart; tiny faces and blocks have the distance of the eyes before they were enlarged."""

FITTED_TO: Final = tuple(BAD_PHOTOS)[: tuple(BAD_PHOTOS).index("flat") + 1]
"""The kinds by which measures may be fitted and levels chosen; the others are kept for tests."""
