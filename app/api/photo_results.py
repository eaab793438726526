"""Answers to requests of many photos, each with its own outcome."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from app.api.problems import image_problem
from app.api.schemas.parts.answer import Answer
from app.operations.identify.photo_by_photo import PhotoError

RecordT = TypeVar("RecordT")
AnswerT = TypeVar("AnswerT", bound=Answer)


async def results_of(
    outcomes: Sequence[RecordT | PhotoError],
    answers: type[AnswerT],
    answer: Callable[[RecordT], Answer],
    request_id: str,
) -> AnswerT:
    """Make the answer in a thread: of each photo its own `answer`, or its problem as `error`."""

    def make() -> AnswerT:
        results: list[dict[str, object]] = []
        for index, outcome in enumerate(outcomes):
            result: Answer | None = None
            error: Answer | None = None
            if isinstance(outcome, PhotoError):
                error = image_problem(outcome, request_id)
            else:
                result = answer(outcome)
            results.append({"index": index, "result": result, "error": error})
        return answers.model_validate({"results": results})

    return await asyncio.to_thread(make)
