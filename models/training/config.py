"""The options of a training run with their bounds, as in its TOML file."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.training.errors import ConfigInvalidError
from models.training.results.metric_names import METRICS

NO_FILES = frozenset({"auto", "published", "scratch"})
"""Values of `network.weights` that are not files."""


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AugmentOptions(Group):
    mirror: float = Field(0.5, ge=0, le=1, description="Probability of mirroring a crop.")
    light: float = Field(0.5, ge=0, le=1, description="Probability of other light.")
    brightness: float = Field(0.3, ge=0, lt=1, description="Most relative change of brightness.")
    contrast: float = Field(0.3, ge=0, lt=1, description="Most relative change of contrast.")
    blur: float = Field(0.1, ge=0, le=1, description="Probability of blurring.")
    blur_share: float = Field(
        0.015, ge=0, le=0.1, description="Largest sigma, as a share of the crop's side."
    )
    shrink: float = Field(0.2, ge=0, le=1, description="Probability of scaling down and up again.")
    shrink_to: float = Field(
        0.3, gt=0, le=1, description="Smallest scale, as a share of the crop's side."
    )
    jpeg: float = Field(0.2, ge=0, le=1, description="Probability of compressing as JPEG.")
    jpeg_quality: int = Field(
        30, ge=1, le=95, description="Lowest JPEG quality; the highest is 95."
    )
    move: float = Field(0.3, ge=0, le=1, description="Probability of turning and shifting.")
    turn_degrees: float = Field(5.0, ge=0, le=45, description="Largest turn, either way.")
    shift_share: float = Field(
        0.03, ge=0, le=0.3, description="Largest shift each way, as a share of the crop's side."
    )


class ShareOptions(Group):
    """The people to train on, to choose the best weights by, and to test on."""

    min_photos: int = Field(
        2, ge=1, le=1_000, description="Photos that a person must have to be trained on."
    )
    choose: float = Field(
        0.15, ge=0, lt=1, description="Share of the people that the best weights are chosen by."
    )
    test: float = Field(
        0.15, ge=0, lt=1, description="Share of the people that it is tested on, once, at the end."
    )

    @model_validator(mode="after")
    def _some_are_left(self) -> Self:
        if self.choose + self.test >= 1:
            raise ValueError(
                "choose and test must be below 1 together: no people are left to train on"
            )
        return self


class DataOptions(ShareOptions):
    people: int = Field(16, ge=2, le=4096, description="People a batch (P); at most all of them.")
    examples: int = Field(4, ge=1, le=256, description="Examples of each in a batch (K).")
    workers: int = Field(
        0, ge=0, le=256, description="Processes that read and change crops; 0: this one."
    )
    augment: AugmentOptions = Field(default_factory=AugmentOptions)


class NetworkOptions(Group):
    name: str = Field("dlib-resnet", description="Network; see `vultus models networks`.")
    weights: str = Field(
        "auto",
        min_length=1,
        description="Initial weights: `published`, `scratch` (random), a file (.safetensors, .pt); "
        "`auto`: the published ones if they are installed, else scratch.",
    )
    dimension: int | None = Field(
        None, ge=2, le=4096, description="Length of an embedding (else the network's own)."
    )
    size_px: int | None = Field(
        None,
        ge=16,
        le=1_024,
        description="Side of the crops (else the weights' or the network's own).",
    )
    frozen_parts: int = Field(
        0, ge=0, le=1_000, description="Number of the network's first parts that do not change."
    )
    head: Literal["none", "linear", "mlp"] = Field(
        "none",
        description="Freeze the whole network and train a linear map, or two layers, behind it.",
    )
    mirror_average: bool = Field(
        True, description="Average the embeddings of a crop and its mirror image, where it serves."
    )


class LossChoice(Group):
    name: str = Field("threshold", description="Loss; see docs/losses.md.")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the loss.")
    miner: str = Field("all", description="Choice of the pairs or triplets of the loss.")
    miner_options: dict[str, Any] = Field(default_factory=dict, description="Options of the miner.")
    bank: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="Earlier examples that a batch is paired with, too; not for class weights.",
    )

    @model_validator(mode="after")
    def _miner_or_bank(self) -> Self:
        if self.bank and self.miner != "all":
            raise ValueError("a miner uses only the batch; with a bank, set miner to all")
        return self


class OptimiserOptions(Group):
    name: Literal["adamw", "sgd"] = Field("adamw", description="Optimiser.")
    rate: float = Field(1e-4, gt=0, le=100, description="Highest learning rate of the network.")
    loss_rate: float = Field(
        1e-2, gt=0, le=100, description="Highest learning rate of the loss's own parameters."
    )
    weight_decay: float = Field(
        1e-4,
        ge=0,
        le=10,
        description="Weight decay, except of biases, normalisation and the loss.",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of sgd.")
    warmup_steps: int = Field(
        50, ge=0, le=1_000_000, description="Steps in which the rate rises from 0."
    )
    final_share: float = Field(
        0.01, ge=0, le=1, description="Share of the rate at the end of the cosine."
    )
    clip_norm: float = Field(
        5.0,
        ge=0,
        le=1e6,
        description="Largest norm of the network's gradient, and of the loss's; 0: any.",
    )


class MeasureOptions(Group):
    metric: str = Field("auc", description="Metric that decides which checkpoint is best.")
    every_epochs: int = Field(1, ge=1, le=10_000, description="Epochs between evaluations.")
    max_photos: int = Field(
        10_000,
        ge=4,
        le=100_000,
        description="Most photos compared with each other; people are drawn.",
    )
    nmi: bool = Field(True, description="Measure NMI too; slow with thousands of people.")
    batch_size: int = Field(128, ge=1, le=10_000, description="Crops of one forward pass.")

    @model_validator(mode="after")
    def _metric_is_known(self) -> Self:
        if self.metric not in METRICS:
            raise ValueError(f"metric is one of {', '.join(METRICS)}")
        return self


class RunConfig(Group):
    """The options that training and fine-tuning share. `page` documents all options."""

    page: ClassVar[str]

    seed: int = Field(0, ge=0, le=2**32 - 1, description="Determines every draw.")
    threads: int = Field(
        0, ge=0, le=1_024, description="CPU threads of one operation; 0: one a core."
    )
    data: ShareOptions = Field(default_factory=ShareOptions)
    network: NetworkOptions = Field(default_factory=NetworkOptions)
    optimiser: OptimiserOptions = Field(default_factory=OptimiserOptions)
    evaluation: MeasureOptions = Field(default_factory=MeasureOptions)

    @classmethod
    def options(cls) -> tuple[tuple[str, str, str], ...]:
        """Every option as (dotted name, default, description)."""
        return tuple(_options(cls, ""))


class TrainingConfig(RunConfig):
    """The options of `vultus train`."""

    page = "docs/training.md"

    epochs: int = Field(20, ge=1, le=1_000_000, description="Epochs.")
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="Batches of an epoch (else until as many examples were drawn as there are).",
    )
    precision: Literal["float32", "bf16", "fp16"] = Field(
        "float32", description="Format of numbers on CUDA; on a CPU, float32."
    )
    deterministic: bool = Field(
        True, description="Prefer operations that give the same result each time."
    )
    checkpoint_steps: int = Field(
        200, ge=1, le=10_000_000, description="Steps between checkpoints, besides each epoch's."
    )
    data: DataOptions = Field(default_factory=DataOptions)
    loss: LossChoice = Field(default_factory=LossChoice)


_Config = TypeVar("_Config", bound=RunConfig)


def read_config(kind: type[_Config], path: Path | None, overrides: Sequence[str] = ()) -> _Config:
    """Read a TOML file, then overrides `group.option=value`, with a TOML value or a plain word.

    Raises ConfigInvalidError, which names every wrong option.
    """
    content: dict[str, Any] = {}
    if path is not None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigInvalidError(f"{path} cannot be read as TOML: {error}") from error
    for override in overrides:
        _set(content, override)
    return config_from(kind, content)


def config_from(kind: type[_Config], content: Mapping[str, Any]) -> _Config:
    """Raises ConfigInvalidError, which names every wrong option."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, entry['loc'])) or 'configuration'}: {entry['msg']}"
            for entry in error.errors(include_url=False, include_input=False)
        )
        raise ConfigInvalidError(f"{wrong}; the options are in {kind.page}") from error


def _set(content: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    if not equals or not name:
        raise ConfigInvalidError(f"{override!r} is not an option; write group.option=value")
    *groups, option = name.strip().split(".")
    for group in groups:
        content = content.setdefault(group, {})
        if not isinstance(content, dict):
            raise ConfigInvalidError(f"{name}: {group} is no group of options")
    try:
        content[option] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        content[option] = text  # a plain word


def _options(group: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _options(kind, f"{prefix}{name}.")
        else:
            default = field.get_default(call_default_factory=True)
            yield f"{prefix}{name}", str(default), str(field.description)
