"""The card of a registered network: its weights, training, figures and licence."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.files import write_text_atomically
from models.zoo.architectures import Recipe
from models.zoo.errors import WeightsInvalidError
from models.zoo.names import Colours, TemplateName
from models.zoo.network import NOT_DOCUMENTED, InputSpec, NetworkSpec
from models.zoo.weights.distinctiveness import Distinctiveness

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""Names of registered networks; they are files' names, too."""


class OnnxPart(BaseModel):
    """What a network in an .onnx file has in place of a recipe.

    `file` is its name in the network's folder; `colours` is the order of channels that the graph
    takes; `template` names the points of the card's `input`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str = Field(pattern=r"^[^/\\]+$")
    colours: Colours
    template: TemplateName


class NetworkCard(BaseModel):
    """A JSON file beside the weights.

    The weights are those of a `recipe`, or a graph of their own (`onnx`). `digest` is the SHA-256
    of the weights file; of an .onnx file, also of how its crops are prepared. `input` describes
    the crop for people and other programs; where there is a recipe, that decides. `loss`, `data`
    and `figures` say how the network was trained, on how many, and what was measured on people
    that it never saw.
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
            raise ValueError("a card has a recipe or a part onnx, and not both")
        return self

    def spec(self) -> NetworkSpec:
        """Raises WeightsInvalidError where the calibration or the distinctiveness is none."""
        try:
            measured = (
                None
                if self.calibration is None
                else SimilarityMap.from_json(dict(self.calibration))
            )
            distinctiveness = (
                None
                if self.distinctiveness is None
                else Distinctiveness.from_json(self.distinctiveness, dimension=self.dimension)
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
            calibration=measured,
            distinctiveness=distinctiveness,
        )


def read_card(path: Path) -> NetworkCard:
    """Raises WeightsInvalidError where the file is no card."""
    try:
        return NetworkCard.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        raise WeightsInvalidError(
            f"{path} is no card of a network ({error}); add the network again"
        ) from error


def write_card(path: Path, card: NetworkCard) -> None:
    write_text_atomically(path, json.dumps(card.model_dump(mode="json"), indent=1) + "\n")
