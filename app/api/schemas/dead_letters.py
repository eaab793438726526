"""Events that were given up."""

from app.api.schemas.deliveries import WaitingBody
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.pages import NextCursor


class DeadLetterPage(Answer):
    dead_letters: list[WaitingBody]
    next_cursor: NextCursor
