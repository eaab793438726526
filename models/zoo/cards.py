"""The card of a registered network: its weights, training, figures and licence."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.files import write_text_atomically
from models.zoo.architectures import Recipe
from models.zoo.errors import WeightsInvalidError
from models.zoo.names import Colours, TemplateName
from models.zoo.network import NOT_DOCUMENTED, InputSpec, NetworkSpec
from models.zoo.weights.distinctiveness import Distinctiveness

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""Names of registered networks, which are also names of files."""


class OnnxPart(BaseModel):
    """The part of a card that replaces the recipe for a network in an .onnx file.

    `file` is its name in the network's folder; `colours` is the channel order of the graph;
    `template` is the name of the template in the card's `input`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str = Field(pattern=r"^[^/\\]+$")
    colours: Colours
    template: TemplateName


class NetworkCard(BaseModel):
    """The card of a network, a JSON file beside the weights.

    The weights are those of a `recipe`, or a graph (`onnx`). `digest` is the SHA-256 of the weights
    file; of an .onnx file, it includes the preparation of crops. `input` describes the crop for
    readers and other programs; where there is a recipe, the recipe determines the crop. `loss`,
    `data` and `figures` describe the training, the number of photos and people, and the accuracy on
    people that it was not trained on.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    name: str = Field(pattern=f"^{NAME.pattern}$")
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    recipe: Recipe | None = None
    onnx: OnnxPart | None = None
    dimension: int
    input: InputSpec
    mirror_average: bool
    description: str
    license: str = Field(min_length=1)
    training_data: str = NOT_DOCUMENTED
    made: str
    loss: Mapping[str, Any] = Field(default_factory=dict)
    data: Mapping[str, Any] = Field(default_factory=dict)
    figures: Mapping[str, Any] = Field(default_factory=dict)
    calibration: Mapping[str, Any] | None = None
    distinctiveness: Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "NetworkCard":
        if (self.recipe is None) == (self.onnx is None):
            raise ValueError("a card has either a recipe or a part onnx")
        return self

    def spec(self) -> NetworkSpec:
        """The description. Raises WeightsInvalidError where a measurement cannot be read."""
        try:
            calibration = self.calibration and SimilarityMap.from_json(self.calibration)
            distinctiveness = self.distinctiveness and Distinctiveness.from_json(
                self.distinctiveness, dimension=self.dimension
            )
        except ValueError as error:
            raise WeightsInvalidError(
                f"a measurement in the card of {self.name} cannot be read ({error}); add the "
                "network again"
            ) from error
        return NetworkSpec(
            name=self.name,
            dimension=self.dimension,
            input=self.input,
            mirror_average=self.mirror_average,
            description=self.description,
            license=self.license,
            training_data=self.training_data,
            calibration=calibration or None,
            distinctiveness=distinctiveness or None,
        )


def read_card(path: Path) -> NetworkCard:
    """Raises WeightsInvalidError where the file is no card."""
    try:
        return NetworkCard.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsInvalidError(
            f"{path} is no card of a network ({error}); add the network again"
        ) from error


def write_card(path: Path, card: NetworkCard) -> None:
    write_text_atomically(path, json.dumps(card.model_dump(mode="json"), indent=1) + "\n")
