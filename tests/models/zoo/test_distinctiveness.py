"""What an embedding says of its face: by its direction, or by its norm where a network has that."""

from typing import Any

import numpy as np
import pytest

from models.zoo.registry import DLIB_RESNET, SFACE
from models.zoo.weights.distinctiveness import Distinctiveness, NormScale

EMBEDDINGS = np.eye(3, dtype=np.float32)
NORMS = np.array([5.0, 10.0, 20.0], dtype=np.float32)


def written(**norms: object) -> dict[str, Any]:
    return {"weights": [1.0, 2.0, 3.0], "offset": 0.5, **({"norms": norms} if norms else {})}


def test_direction_gives_the_value_whatever_the_norms() -> None:
    measure = Distinctiveness.from_json(written(), dimension=3)
    assert measure.of(EMBEDDINGS).tolist() == [1.5, 2.5, 3.5]
    assert measure.of(EMBEDDINGS, NORMS).tolist() == [1.5, 2.5, 3.5]


def test_norms_give_the_value_where_they_are_known_and_the_direction_where_not() -> None:
    measure = Distinctiveness.from_json(written(worst=5, best=15), dimension=3)
    assert measure.of(EMBEDDINGS, NORMS).tolist() == [0.0, 0.5, 1.5]
    assert measure.of(EMBEDDINGS).tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize(
    "norms",
    [
        {"worst": 5},
        {"worst": 5, "best": None},
        {"worst": 5, "best": "ten"},
        {"worst": 5, "best": 5},
        {"worst": -1, "best": 5},
        {"worst": 5, "best": float("inf")},
        {"worst": float("nan"), "best": 5},
    ],
)
def test_norms_that_give_no_scale_are_refused(norms: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="norm"):
        Distinctiveness.from_json(written(**norms), dimension=3)


def test_sface_is_measured_by_norms_and_dlib_by_direction() -> None:
    assert SFACE.distinctiveness is not None
    assert DLIB_RESNET.distinctiveness is not None
    assert SFACE.distinctiveness.norms == NormScale(9.1, 11.4)
    assert DLIB_RESNET.distinctiveness.norms is None
