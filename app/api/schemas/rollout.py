"""The rollout of another embedder in a collection."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.photo_faces import ModelBody
from app.errors import RolloutObstacle
from app.gallery.rollout.rollouts import RolloutState, RolloutStatus


class RolloutObstacleBody(Answer):
    code: RolloutObstacle
    detail: str


class RolloutAnswer(Answer):
    """The progress of a rollout. Without one, `state` and all that describes one are null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "embedding",
                    "serving": {"name": "dlib-resnet", "digest": "54bb08c8..."},
                    "from_embedder": {"name": "dlib-resnet", "digest": "54bb08c8..."},
                    "to_embedder": {"name": "sface", "digest": "0ba9fbfa..."},
                    "faces": 1_577,
                    "done": 1_200,
                    "missing": 377,
                    "missing_before": 0,
                    "finished": False,
                    "switched_at": None,
                    "revision": 41,
                    "obstacles": [
                        {
                            "code": "lacking_second",
                            "detail": "377 faces have no embedding by sface, and would not be "
                            "found",
                        }
                    ],
                }
            ]
        }
    )

    state: RolloutState | None = Field(
        description="embedding: faces have no embedding by `to_embedder` yet; ready: all have one, "
        "and `from_embedder` still answers; switched: `to_embedder` answers, and the collection "
        "can go back until the embeddings by `from_embedder` are purged."
    )
    serving: ModelBody = Field(description="The embedder that the collection answers by.")
    from_embedder: ModelBody | None
    to_embedder: ModelBody | None
    faces: int = Field(description="All faces of the collection.")
    done: int | None = Field(description="Faces with an embedding by `to_embedder`.")
    missing: int | None = Field(description="Faces without one: they would not be found by it.")
    missing_before: int | None = Field(
        description="Faces without an embedding by `from_embedder`: they would not be found after "
        "the way back."
    )
    finished: bool | None = Field(description="Whether no face is `missing`.")
    switched_at: datetime | None
    revision: int
    obstacles: list[RolloutObstacleBody] = Field(
        description="What the next step would be refused for without `--force`: the switch, or "
        "after it the way back."
    )

    @classmethod
    def shown(cls, status: RolloutStatus) -> Self:
        rollout = status.rollout
        missing = rollout.missing
        return cls.of(
            rollout,
            done=None if missing is None else rollout.faces - missing,
            finished=None if missing is None else missing == 0,
            obstacles=[
                RolloutObstacleBody(code=code, detail=fact) for code, fact in status.objections
            ],
        )
