"""Decoding in a process that can be ended: the side of the process.

A request is a line of JSON and the file's bytes; an answer is a line of JSON and, if there is a
picture, its pixels. Both are plain data, so that a process that hostile bytes have taken over can
answer nothing but pixels.
"""

import json
import os
import resource
import sys
from typing import Any, BinaryIO, Final

import numpy as np

from app.errors import ImageTooLarge, ImageUnreadable
from app.recognition.decode.file_kinds import FileKind
from app.recognition.decode.heif_decoder import decode_heif
from app.recognition.decode.picture import Picture
from app.recognition.decode.pillow_decoder import decode_with_pillow
from app.recognition.decode.structures.tiff_structure import read_tiff
from app.recognition.decode.tiff_decoder import decode_tiff
from app.runtime.memory import give_back_memory

_LARGE_BYTES: Final = 50_000_000


def main() -> None:
    """Answer requests until the service closes the pipe."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a decoder prints is no answer
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["length"])
        _limit(request)
        _answer(FileKind(request["kind"]), data, request["max_pixels"], answers)
        _limit_nothing()


def _answer(kind: FileKind, data: bytes, max_pixels: int, answers: BinaryIO) -> None:
    try:
        picture = _decode(kind, data, max_pixels)
    except ImageTooLarge as error:
        _say(answers, error="too_large", text=str(error))
    except ImageUnreadable as error:
        _say(answers, error="unreadable", text=str(error))
    except MemoryError:
        _say(answers, error="memory", text="out of memory")
    # A decoder of hostile bytes raises nearly anything; the service logs it.
    except Exception as error:  # noqa: BLE001
        _say(answers, error="damaged", text=repr(error)[:200])
    else:
        height, width = picture.pixels.shape[:2]
        _say(
            answers,
            width=width,
            height=height,
            orientation=picture.orientation,
            frames=picture.frames,
            frame_used=picture.frame_used,
        )
        answers.write(np.ascontiguousarray(picture.pixels).data.cast("B"))
        answers.flush()
        if picture.pixels.nbytes > _LARGE_BYTES:
            del picture
            give_back_memory()


def _decode(kind: FileKind, data: bytes, max_pixels: int) -> Picture:
    if kind is FileKind.TIFF:
        return decode_tiff(data, read_tiff(data))
    if kind is FileKind.HEIF:
        return decode_heif(data, max_pixels=max_pixels)
    return decode_with_pillow(kind, data, max_pixels=max_pixels)


def _say(answers: BinaryIO, **answer: object) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")
    answers.flush()


def _limit(request: dict[str, Any]) -> None:
    """Limit memory, and CPU time beyond what the process has used already.

    The system ends a process that takes more CPU time.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime + request["seconds"]) + 1
    _set_soft(resource.RLIMIT_CPU, seconds)
    _set_soft(resource.RLIMIT_DATA, request["memory_bytes"])


def _limit_nothing() -> None:
    for what in (resource.RLIMIT_CPU, resource.RLIMIT_DATA):
        _set_soft(what, resource.getrlimit(what)[1])


def _set_soft(what: int, soft: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
