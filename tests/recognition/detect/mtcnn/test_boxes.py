"""Boxes are suppressed, corrected and cut as naive loops do it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.recognition.detect.mtcnn.boxes import (
    best_of_nested,
    best_of_overlapping,
    corrected,
    inside,
    squared,
)


def _boxes(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 60, (count, 2))
    boxes = np.concatenate([corners, corners + rng.integers(5, 40, (count, 2))], axis=1)
    scores = rng.permutation(count) / count
    return boxes.astype(np.float32), scores.astype(np.float32)


def _naive(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], most: float, *, nested: bool
) -> list[int]:
    kept: list[int] = []
    extra = 1 if nested else 0
    for place in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        x1, y1, x2, y2 = boxes[place]
        for other in kept:
            a1, b1, a2, b2 = boxes[other]
            width = max(0.0, min(x2, a2) - max(x1, a1) + extra)
            height = max(0.0, min(y2, b2) - max(y1, b1) + extra)
            one = (x2 - x1 + extra) * (y2 - y1 + extra)
            two = (a2 - a1 + extra) * (b2 - b1 + extra)
            whole = min(one, two) if nested else one + two - width * height
            if width * height / whole > most:
                break
        else:
            kept.append(place)
    return kept


@pytest.mark.parametrize("count", [0, 1, 2, 40])
@pytest.mark.parametrize("most", [0.3, 0.5, 0.7])
def test_of_overlapping_boxes_the_best_is_kept(count: int, most: float) -> None:
    boxes, scores = _boxes(count, seed=count)
    assert best_of_overlapping(boxes, scores, most=most).tolist() == _naive(
        boxes, scores, most, nested=False
    )
    assert best_of_nested(boxes, scores, most=most).tolist() == _naive(
        boxes, scores, most, nested=True
    )


def test_groups_that_are_apart_do_not_suppress_each_other() -> None:
    boxes, scores = _boxes(60, seed=1)
    apart = np.arange(60) % 3
    expected = {
        place
        for group in range(3)
        for place in np.nonzero(apart == group)[0][
            best_of_overlapping(boxes[apart == group], scores[apart == group], most=0.5)
        ].tolist()
    }
    found = best_of_overlapping(boxes, scores, most=0.5, apart=apart)
    assert set(found.tolist()) == expected
    assert (np.diff(scores[found]) < 0).all()


def test_edges_move_by_shares_of_the_sides() -> None:
    box = np.array([[10, 20, 30, 60]], dtype=np.float32)
    moves = np.array([[0.1, -0.1, 0.5, 0.25]], dtype=np.float32)
    np.testing.assert_allclose(corrected(box, moves, inclusive=False), [[12, 16, 40, 70]])
    np.testing.assert_allclose(
        corrected(box, moves, inclusive=True), [[12.1, 15.9, 40.5, 70.25]], rtol=1e-6
    )


def test_a_square_has_the_longer_side_and_the_centre() -> None:
    boxes = np.array([[10, 20, 30, 60], [0, 0, 8, 2]], dtype=np.float32)
    np.testing.assert_array_equal(squared(boxes), [[0, 20, 40, 60], [0, -3, 8, 5]])


def test_boxes_are_cut_to_the_picture_and_those_beyond_it_are_marked() -> None:
    boxes = np.array(
        [[1, 1, 10, 10], [-5, 3.9, 200, 7.2], [101, 1, 120, 20], [5, 9, 5, 9]], dtype=np.float32
    )
    parts, there = inside(boxes, width=100, height=50)
    assert parts[:2].tolist() == [[0, 0, 10, 10], [0, 2, 100, 7]]
    assert there.tolist() == [True, True, False, True]
    assert parts[3].tolist() == [4, 8, 5, 9]
