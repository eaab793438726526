"""Error rates of the networks' similarities, one JSON file a network.

`vultus calibrate FOLDER --out FILE` makes one.
"""

import json
from importlib.resources import files

from models.evaluation.calibration.similarity_map import SimilarityMap


def shipped(name: str) -> SimilarityMap:
    """The calibration that comes with a network."""
    text = (
        files("models.zoo.weights")
        .joinpath(f"shipped/calibrations/{name}.json")
        .read_text(encoding="utf-8")
    )
    return SimilarityMap.from_json(json.loads(text))
