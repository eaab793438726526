"""Networks that the service knows."""

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.operations.rollout.embedder_choice import EmbedderChoice
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.network import NetworkSpec


class ZooModelBody(Answer):
    name: str
    description: str
    license: str = Field(description="Of the weights.")
    training_data: str = Field(description="What is known of the photos that it was trained on.")
    dimension: int | None = Field(
        description="Length of an embedding; null where only the file says it."
    )
    active: bool = Field(description="Whether this service runs it.")
    runtime: str | None = Field(
        description="What runs it: torch, onnxruntime or openvino; null unless it is active."
    )
    precision: str | None = Field(
        description="What it computes with: float32, float16 or bfloat16; null unless it is active."
    )
    similarity_at_fmr: dict[str, float] = Field(
        description="Measured threshold at each false match rate."
    )
    measured_on: str | None


class DetectorBody(Answer):
    """A face detector that `VULTUS_DETECTOR__NAME` can name."""

    name: str
    description: str
    license: str = Field(description="Of the weights.")
    source: str = Field(description="Where the weights come from.")
    training_data: str
    score: str = Field(description="What the detection score of a face means.")
    min_score: float = Field(
        description="The least that counts as a face, unless VULTUS_DETECTOR__MIN_SCORE is set."
    )
    digest: str = Field(description="SHA-256 of the weights.")
    finds_landmarks: bool = Field(
        description="Whether the landmarks are its own; else MTCNN's output network finds them."
    )
    active: bool = Field(description="Whether this service runs it.")


class ModelsAnswer(Answer):
    models: list[ZooModelBody] = Field(description="Embedders.")
    detectors: list[DetectorBody]
    chosen_by: Literal["setting", "auto"] = Field(
        description="Whether `VULTUS_EMBEDDER` names the active one, or is `auto` and chose it."
    )
    reason: str = Field(
        description="Why it is the active one.",
        examples=["the faces of the database are by it"],
    )

    @classmethod
    def listed(
        cls,
        known: Iterable[NetworkSpec],
        choice: EmbedderChoice,
        *,
        detector: str,
        runtime: str | None = None,
        precision: str | None = None,
    ) -> Self:
        """Make the answer. `runtime` and `precision` are those of the embedder that runs."""
        return cls(
            models=[
                ZooModelBody.of(
                    spec,
                    active=spec.name == choice.name,
                    runtime=runtime if spec.name == choice.name else None,
                    precision=precision if spec.name == choice.name else None,
                    similarity_at_fmr={
                        f"{fmr:g}": value
                        for fmr, value in (measured.thresholds().items() if measured else ())
                    },
                    measured_on=measured.source if measured else None,
                )
                for spec in known
                for measured in [spec.calibration]
            ],
            detectors=[
                DetectorBody.of(card, active=card.name == detector)
                for card in DETECTOR_CARDS.values()
            ],
            chosen_by=choice.by.value,
            reason=choice.ground.value,
        )
