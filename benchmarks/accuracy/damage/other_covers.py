"""Covers of faces that nothing was fitted to.

The quality floor, `distinctiveness` and `crowding` were chosen by the covers of `bad_photos.py`.
These are drawn in other ways, in any color, so that what is measured on them holds for covers that
were not seen before. They are drawings as well, not photos of real covers.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Landmarks, Pixels
from benchmarks.accuracy.damage.cover_drawing import Frame, Points, covered
from benchmarks.accuracy.damage.quality_damage import Rng

Layer = NDArray[np.float64]
Share = NDArray[np.float32]
"""Share of each pixel that a cover hides, 0 to 1."""


def pleated_mask(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Pale, with pleats that end at the sides, a wire over the nose and bands to the ears."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    top = rng.uniform(0.3, 0.5)
    outline = [(-0.85, top + 0.25), (-0.3, top), (0.3, top), (0.85, top + 0.25)]
    outline += [(0.8, 1.3), (0.35, 1.75), (-0.35, 1.75), (-0.8, 1.3)]
    where = _polygon(photo, frame, outline)
    for side in (-1, 1):
        for start, end in ((top + 0.25, 0.1), (1.3, 0.5)):
            _band(where, frame.at(0.8 * side, start), frame.at(1.25 * side, end), frame)
    cloth = np.full(photo.shape[:2], 1.0) - 0.15 * across**2
    for pleat in np.linspace(0.75, 1.35, 3):
        cloth -= 0.2 * np.clip(1 - np.abs(down - pleat) / 0.05, 0, 1) * (np.abs(across) < 0.7)
    cloth += 0.15 * np.clip(1 - np.abs(down - top - 0.08) / 0.04, 0, 1)
    paper = rng.normal(0, 2, photo.shape[:2])
    color = rng.uniform(150, 255, 3)
    return covered(photo, where, color * cloth[..., None] + paper[..., None])


def veil(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Dark cloth that leaves nothing but the eyes, and lies in folds."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    hidden = (down > rng.uniform(0.3, 0.45)) | (down < -rng.uniform(0.4, 0.6))
    hidden |= np.abs(across) > rng.uniform(1.0, 1.2)
    head = (across / 1.6) ** 2 + ((down - 0.5) / 2.2) ** 2 < 1
    folds = 1 + 0.25 * np.sin(6 * across + 2 * np.sin(3 * down) + rng.uniform(0, 6))
    layer = rng.uniform(10, 90, 3) * folds[..., None]
    return covered(photo, (hidden & head).astype(np.float32), layer)


def hair(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """Strands over the forehead and both eyes."""
    frame = Frame.of(landmarks)
    where = np.zeros(photo.shape[:2], dtype=np.float32)
    layer = np.zeros(photo.shape, dtype=np.float64)
    color = rng.uniform(20, 120) * np.array([1.0, 0.8, 0.6])
    width = max(1, round(frame.width * 0.06))
    for start in rng.uniform(-1.1, 1.1, 90):
        middle = start + rng.normal(0, 0.1)
        points = [
            frame.at(start * 0.6, -1.1),
            frame.at(middle, -0.4),
            frame.at(middle + rng.normal(0, 0.1), rng.uniform(0.05, 0.4)),
        ]
        line = [np.rint(np.array(points)).astype(np.int32)]
        cv2.polylines(where, line, False, (1.0,), width, cv2.LINE_AA)
        shade = (color * rng.uniform(0.6, 1.4)).tolist()
        cv2.polylines(layer, line, False, shade, width + 2)
    return covered(photo, where, layer)


def visor(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """One wide lens that mirrors a bright sky above a dark ground."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    half, top, bottom = rng.uniform(0.85, 1.05), rng.uniform(0.28, 0.4), rng.uniform(0.3, 0.42)
    outline = [(-half, -top), (half, -top), (half, bottom * 0.7), (0.25, bottom)]
    outline += [(0, bottom * 0.4), (-0.25, bottom), (-half, bottom * 0.7)]
    horizon = rng.uniform(-0.1, 0.1) + rng.uniform(-0.1, 0.1) * across
    sky = np.clip((horizon - down) * 4, 0, 1)[..., None]
    layer = sky * rng.uniform(100, 255, 3) + (1 - sky) * rng.uniform(0, 70, 3)
    return covered(photo, _polygon(photo, frame, outline), layer)


def phone(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """A dark slab, held at any angle before the mouth and part of the nose."""
    frame = Frame.of(landmarks)
    across, down = frame.coordinates(photo)
    x, y = (across - rng.uniform(-0.25, 0.25)) * frame.width, (down - 1.05) * frame.height
    angle = rng.uniform(-0.6, 0.6)
    along, beside = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = (np.abs(along) < 1.25 * frame.width) & (np.abs(beside) < 0.58 * frame.width)
    layer = rng.uniform(0, 110, 3) * (1 + 0.1 * along / frame.width)[..., None]
    return covered(photo, inside.astype(np.float32), layer)


def half_hidden(photo: Pixels, landmarks: Landmarks, rng: Rng) -> Pixels:
    """A wall or a door before the left or the right half."""
    frame = Frame.of(landmarks)
    across, _ = frame.coordinates(photo)
    side = rng.choice([-1.0, 1.0])
    hidden = side * across > rng.uniform(-0.1, 0.15)
    grain = cv2.GaussianBlur(rng.normal(0, 40, photo.shape[:2]), (0, 0), 3)
    layer = rng.uniform(20, 235, 3) + grain[..., None]
    return covered(photo, hidden.astype(np.float32), layer)


def _polygon(photo: Pixels, frame: Frame, outline: list[tuple[float, float]]) -> Share:
    points = np.array([frame.at(*point) for point in outline])
    where = np.zeros(photo.shape[:2], dtype=np.float32)
    cv2.fillPoly(where, [np.rint(points * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
    return where


def _band(where: Share, start: Points, end: Points, frame: Frame) -> None:
    ends = [(round(float(x)), round(float(y))) for x, y in (start, end)]
    cv2.line(where, ends[0], ends[1], (1.0,), max(1, round(frame.width * 0.05)), cv2.LINE_AA)
