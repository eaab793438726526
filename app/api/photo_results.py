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
    """Make the answer in a thread: for each photo its own `answer`, or its problem as `error`."""

    def make() -> AnswerT:
        results = [
            {"index": index, "result": None, "error": image_problem(outcome, request_id)}
            if isinstance(outcome, PhotoError)
            else {"index": index, "result": answer(outcome), "error": None}
            for index, outcome in enumerate(outcomes)
        ]
        return answers.model_validate({"results": results})

    return await asyncio.to_thread(make)
