"""Decoding in processes that can be ended: the side of the service.

Decoders of TIFF, HEIF, AVIF, JPEG 2000 and animated WebP take time and memory that do not follow
from the size of the picture, may crash, and write to the standard error stream. Each process has
limits on its CPU time and its memory, and no setting or key of the service. A failure is one line
of the service's log.
"""

import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from threading import Lock, Timer
from typing import Any, Final, cast

import numpy as np
import structlog

from app.errors import DecodingTooSlow, ImageTooLarge, ImageUnreadable, Stopping
from app.recognition.decode.faults import MAX_PIXELS, damaged
from app.recognition.decode.file_kinds import FileKind
from app.recognition.decode.picture import Picture

DECODE_S: Final = 10.0
_WALL_FACTOR: Final = 6
"""Seconds by seconds of CPU: on a busy machine, a process has only a share of a core."""
_SLACK_BYTES: Final = 256_000_000
"""Memory of the interpreter, and of what the estimate of a photo leaves out."""

_ROOT: Final = Path(__file__).resolve().parents[3]
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from app.recognition.decode.decoder_child import main; main()"
)
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
_MOST_HEADER_BYTES: Final = 10_000

_log = structlog.get_logger(__name__)


class DecoderProcesses:
    """Processes that decode one photo at a time each, as many as threads decode at once.

    They start when needed, and stay for the next photo. Safe to use from several threads.
    """

    def __init__(self, *, decode_s: float = DECODE_S) -> None:
        """`decode_s`: the CPU time that one photo may take."""
        self._decode_s = decode_s
        self._idle: list[_Decoder] = []
        self._all: set[_Decoder] = set()
        self._lock = Lock()
        self._stopped = False
        self._end = weakref.finalize(self, _kill, self._all)

    def decode(self, kind: FileKind, data: bytes, *, max_pixels: int, memory_bytes: int) -> Picture:
        """Decode a photo in a process, as `decoder_child` does.

        Raises ImageUnreadable for a damaged file, and for one that takes too much time or memory;
        ImageTooLarge; and Stopping after `stop`.
        """
        request = {
            "kind": kind.value,
            "length": len(data),
            "max_pixels": max_pixels,
            "memory_bytes": memory_bytes + _SLACK_BYTES,
            "seconds": self._decode_s,
        }
        decoder = self._take()
        timer = Timer(self._decode_s * _WALL_FACTOR, decoder.end_late)
        timer.daemon = True
        timer.start()
        try:
            answer, picture = decoder.ask(request, data, max_pixels)
        except (OSError, ValueError, TypeError, KeyError, EOFError) as error:
            status = decoder.end()
            self._drop(decoder)
            raise self._why_it_ended(kind, decoder, status) from error
        except BaseException:
            self._drop(decoder)
            raise
        finally:
            timer.cancel()
        self._give_back(decoder)
        if picture is not None:
            return picture
        raise _refusal(kind, answer)

    def stop(self) -> None:
        """End all processes. Calls that wait for one raise Stopping."""
        with self._lock:
            self._stopped = True
        self._end()

    def _take(self) -> "_Decoder":
        with self._lock:
            if self._stopped:
                raise Stopping
            while self._idle:
                idle = self._idle.pop()
                if idle.is_alive:
                    return idle
                # It ended while idle, for example as memory ran out: not the photo's fault.
                idle.kill()  # closes its pipes
                self._all.discard(idle)
        decoder = _Decoder()
        with self._lock:
            self._all.add(decoder)
            stopped = self._stopped
        if stopped:
            self._drop(decoder)
            raise Stopping
        return decoder

    def _give_back(self, decoder: "_Decoder") -> None:
        with self._lock:
            if not self._stopped:
                self._idle.append(decoder)

    def _drop(self, decoder: "_Decoder") -> None:
        decoder.kill()
        with self._lock:
            self._all.discard(decoder)

    def _why_it_ended(self, kind: FileKind, decoder: "_Decoder", status: int) -> Exception:
        if self._stopped:
            return Stopping()
        late = decoder.is_late or status == -signal.SIGXCPU
        _log.info("decoder_ended", format=kind.value, late=late, status=status)
        if late:
            return DecodingTooSlow(
                f"decoding this {kind.value} file takes more than {self._decode_s:g} s, which no "
                "ordinary photo takes"
            )
        return damaged(kind.value)


class _Decoder:
    """One process, and the pipes to it. `is_late`: it was ended as it took too long."""

    def __init__(self) -> None:
        self.is_late = False
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _START, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # signals of the terminal reach the service alone
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, request: Mapping[str, object], data: bytes, max_pixels: int
    ) -> tuple[dict[str, Any], Picture | None]:
        """Return the answer, and the picture if there is one.

        Raises OSError, EOFError, ValueError, TypeError or KeyError when the process ends, or
        answers nonsense.
        """
        requests = self._process.stdin
        answers = cast("BufferedReader | None", self._process.stdout)
        assert requests is not None
        assert answers is not None
        requests.write(json.dumps(request).encode("ascii") + b"\n")
        requests.write(data)
        requests.flush()
        answer: dict[str, Any] = dict(json.loads(answers.readline(_MOST_HEADER_BYTES)))
        if "width" not in answer:
            return answer, None
        width, height = int(answer["width"]), int(answer["height"])
        if not 0 < width * height <= max_pixels or min(width, height) < 1:
            raise ValueError("no size")
        pixels = np.empty((height, width, 3), dtype=np.uint8)
        if answers.readinto(pixels.data.cast("B")) < pixels.nbytes:
            raise EOFError
        picture = Picture(
            pixels,
            int(answer["orientation"]),
            frames=int(answer["frames"]),
            frame_used=int(answer["frame_used"]),
        )
        return answer, picture

    def end_late(self) -> None:
        self.is_late = True
        self._process.kill()

    def end(self) -> int:
        """Wait for a process that closed its pipe, end any other, and return its exit status."""
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the process, if it has not ended, and return its exit status."""
        self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # it may hold bytes that were not sent
                    pipe.close()
        return status


def _refusal(kind: FileKind, answer: Mapping[str, Any]) -> Exception:
    error = answer.get("error")
    if error == "too_large":
        return ImageTooLarge(str(answer.get("text")), setting=MAX_PIXELS)
    if error == "unreadable":
        return ImageUnreadable(str(answer.get("text")))
    _log.info("photo_damaged", format=kind.value, cause=str(answer.get("text"))[:200])
    if error == "memory":
        return ImageUnreadable(
            f"decoding this {kind.value} file takes far more memory than its pixels; save the "
            "photo as JPEG"
        )
    return damaged(kind.value)


def _kill(decoders: set[_Decoder]) -> None:
    for decoder in list(decoders):
        decoder.kill()
    decoders.clear()
