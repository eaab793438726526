"""Enroll a stream of JSON Lines, piece by piece, in flat memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from app.api.bodies.body_turns import BodyTurn, body_turn
from app.api.bodies.field_problems import invalid
from app.api.bodies.json_text import MOST_VALUES_OF_A_LINE, parse_json
from app.api.remedies import HTTP
from app.api.schemas.identities_batch import BatchItemBody, BatchResultBody
from app.errors import InputError, InvalidRequest, RequestTooLarge
from app.operations.enroll.batch_enroller import BatchEnroller, BatchItem, ItemResult, rejected_item
from app.operations.enroll.enroll_options import EnrollOptions
from app.remedies import Remedies

_PIECE_LINES = 1_000
_PIECE_BYTES = 8_000_000
_LARGE_BYTES = 1_000_000
_MOST_WRONG = 1_000
_DEFAULTS = EnrollOptions()


@dataclass(slots=True)
class _Piece:
    """Lines that are enrolled together."""

    first: int
    lines: list[bytes | bytearray] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.lines) >= _PIECE_LINES or self.size >= _PIECE_BYTES


@dataclass(slots=True)
class _WrongLines:
    """Counts the lines of a request that are no items."""

    count: int = 0
    first: str = ""

    def add(self, entries: Sequence[BatchItem | ItemResult], start: int) -> None:
        """Count those of a piece, whose first line is `start`. Raises InvalidRequest for too many,
        before any line of the piece is enrolled."""
        for index, entry in enumerate(entries, start=start):
            if isinstance(entry, ItemResult):
                self.count += 1
                self.first = self.first or f"line {index}: {entry.error}"
        if self.count > _MOST_WRONG and 2 * self.count > start + len(entries):
            raise InvalidRequest(
                f"{self.count} of the first {start + len(entries)} lines are no people; the first "
                f"is {self.first}"
            )


async def enroll_lines(
    enroller: BatchEnroller,
    collection: str,
    chunks: AsyncIterator[bytes],
    *,
    max_line_bytes: int,
    defaults: EnrollOptions = _DEFAULTS,
    remedies: Remedies = HTTP,
    dealt_with: Callable[[int], object] = lambda _: None,
) -> AsyncIterator[list[BatchResultBody]]:
    """Yield the results of each piece once it is committed, in the order of the lines.

    `defaults` count where a line has no level of quality, `remedies` are those of the reader.
    Empty lines are skipped and not counted. A line that is no item is rejected by itself.
    `dealt_with` gets the bytes of each piece that is done. Raises RequestTooLarge for a line over
    `max_line_bytes`, and InvalidRequest when most of the lines, and more than _MOST_WRONG, are no
    items: two bytes of a line would make two hundred of an answer. What was yielded before stays
    enrolled.
    """
    piece = _Piece(0)
    wrong = _WrongLines()
    async with body_turn() as turn:
        async for line in _lines(turn.read(chunks), max_line_bytes):
            piece.lines.append(line)
            piece.size += len(line) + 1
            if piece.full:
                first = piece.first + len(piece.lines)
                results = await _enroll(
                    enroller, collection, piece, defaults, remedies, wrong, turn
                )
                dealt_with(piece.size)
                yield results
                piece = _Piece(first)
        if piece.lines:
            yield await _enroll(enroller, collection, piece, defaults, remedies, wrong, turn)


async def _enroll(
    enroller: BatchEnroller,
    collection: str,
    piece: _Piece,
    defaults: EnrollOptions,
    remedies: Remedies,
    wrong: "_WrongLines",
    turn: BodyTurn,
) -> list[BatchResultBody]:
    # In a thread: a single line may be as long as a body, and a piece has a thousand short ones.
    entries = await turn.parse(_parse_all, piece.lines, defaults)
    wrong.add(entries, piece.first)
    turn.give_back()
    items = [entry for entry in entries if isinstance(entry, BatchItem)]
    results = iter(await enroller.enroll(collection, items))
    return [
        _result(index, entry.identity.external_id, next(results), remedies)
        if isinstance(entry, BatchItem)
        else _result(index, None, entry, remedies)
        for index, entry in enumerate(entries, start=piece.first)
    ]


def _result(
    index: int, external_id: str | None, result: ItemResult, remedies: Remedies
) -> BatchResultBody:
    error = result.error
    return BatchResultBody.of(
        result,
        remedies,
        index=index,
        external_id=external_id,
        code=None if error is None else str(error.code),
        detail=None if error is None else remedies.detail(error),
        rejected=result.images,
    )


def _parse_all(
    lines: list[bytes | bytearray], defaults: EnrollOptions
) -> list[BatchItem | ItemResult]:
    """Parse lines, and drop each once it is parsed, as two copies of photos take much memory."""
    lines.reverse()
    return [_parse(lines.pop(), defaults) for _ in range(len(lines))]


def _parse(line: bytes | bytearray, defaults: EnrollOptions) -> BatchItem | ItemResult:
    try:
        values = parse_json(line, "the line", most_values=MOST_VALUES_OF_A_LINE)
        return BatchItemBody.model_validate(values).item(defaults)
    except ValidationError as error:
        return rejected_item(invalid(error, BatchItemBody))
    except InputError as error:
        return rejected_item(error)


async def _lines(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes | bytearray]:
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        if b"\n" in chunk:
            lines = _split(rest)
            rest = bytearray(lines.pop())
            lines = [line for line in reversed(lines) if line and not line.isspace()]
            while lines:
                line = lines.pop()  # so that a long one is not kept until the next
                _require_size(line, most)
                yield line
        _require_size(rest, most)
    if rest and not rest.isspace():
        yield rest


def _split(data: bytearray) -> list[bytes | bytearray]:
    """Bytes are split faster, above all where lines are empty; a bytearray without a copy."""
    return [*(data if len(data) > _LARGE_BYTES else bytes(data)).split(b"\n")]


def _require_size(line: bytes | bytearray, most: int) -> None:
    if len(line) > most:
        raise RequestTooLarge(
            f"a line is over {most / 1e6:g} MB", setting="VULTUS_LIMITS__MAX_REQUEST_BYTES"
        )
