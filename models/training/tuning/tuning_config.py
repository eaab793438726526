"""The options of a fine-tuning with their bounds, as in its TOML file."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from models.training.config import (
    AugmentOptions,
    Group,
    MeasureOptions,
    NetworkOptions,
    OptimiserOptions,
    RunConfig,
    ShareOptions,
)

_Share = Annotated[float, Field(ge=0, lt=1)]


class TunedAugmentOptions(AugmentOptions):
    """Copies are stored and used repeatedly, so that changes are more frequent."""

    light: float = Field(0.7, ge=0, le=1, description="Probability of other light.")
    blur: float = Field(0.25, ge=0, le=1, description="Probability of blurring.")
    shrink: float = Field(0.4, ge=0, le=1, description="Probability of scaling down and up again.")
    jpeg: float = Field(0.4, ge=0, le=1, description="Probability of compressing as JPEG.")
    move: float = Field(0.9, ge=0, le=1, description="Probability of turning and shifting.")


class TunedDataOptions(ShareOptions):
    groups: int = Field(16, ge=1, le=4096, description="Groups of look-alikes in a batch.")
    people: int = Field(8, ge=2, le=1024, description="People of a group; at most all of them.")
    examples: int = Field(2, ge=1, le=256, description="Photos of each person, at most.")
    copies: int = Field(
        9,
        ge=2,
        le=100,
        description="Stored copies of each photo: the photo itself, its mirror image, and copies "
        "with random changes.",
    )
    min_photos: int = Field(
        1, ge=1, le=1_000, description="Photos that a person must have to be trained on."
    )
    augment: TunedAugmentOptions = Field(default_factory=TunedAugmentOptions)


class TunedNetworkOptions(NetworkOptions):
    frozen_parts: int = Field(
        11, ge=1, le=1_000, description="Number of the network's first parts that do not change."
    )
    head: Literal["none"] = Field("none", description="No other value is allowed.")


class TunedLossOptions(Group):
    scale: float = Field(
        150.0, gt=0, le=1_000, description="How steep the decision is, in 1 by cosine."
    )
    fmr: float = Field(
        1e-4,
        gt=0,
        lt=1,
        description="The threshold begins at this FMR.",
    )
    negative_weight: float = Field(
        100.0,
        gt=0,
        le=1e6,
        description="Weight of the mean over strangers; the mean over pairs of one person has 1.",
    )
    bank_copies: int = Field(
        4, ge=1, le=100, description="Copies of each photo that a batch is compared with."
    )


class TunedOptimiserOptions(OptimiserOptions):
    loss_rate: float = Field(
        1e-3, gt=0, le=100, description="Highest learning rate of the threshold."
    )
    weight_decay: float = Field(0.0, ge=0, le=10, description="Weight decay; of biases, none.")


class TunedMeasureOptions(MeasureOptions):
    metric: str = Field(
        "tar_at_fmr.1e-3", description="Metric that decides how far to move back; best of `back`."
    )


class TuningConfig(RunConfig):
    """The options of `vultus tune`."""

    page = "docs/tuning.md"

    runs: int = Field(4, ge=1, le=100, description="Runs whose weights are averaged.")
    steps: int = Field(160, ge=1, le=1_000_000, description="Steps of each run.")
    refresh_steps: int = Field(
        80, ge=1, le=1_000_000, description="Steps after which the whole bank is computed again."
    )
    back: tuple[_Share, ...] = Field(
        (0.0, 0.25, 0.5),
        min_length=1,
        description="Shares by which the mean is moved back to the initial weights; the best is "
        "kept.",
    )
    data: TunedDataOptions = Field(default_factory=TunedDataOptions)
    network: TunedNetworkOptions = Field(default_factory=TunedNetworkOptions)
    loss: TunedLossOptions = Field(default_factory=TunedLossOptions)
    optimiser: TunedOptimiserOptions = Field(default_factory=TunedOptimiserOptions)
    evaluation: TunedMeasureOptions = Field(default_factory=TunedMeasureOptions)

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, content: Any) -> Any:  # noqa: ANN401
        """`back=0.25` on a command line."""
        if isinstance(content, dict) and isinstance(content.get("back"), int | float):
            return {**content, "back": (content["back"],)}
        return content
