"""Decoding in a process of its own: limits that end it, and nothing that gets out."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import DecodingTooSlow, ImageTooLarge, ImageUnreadable, Stopping
from app.recognition.decode import decoder_process
from app.recognition.decode.decoder_process import DecoderProcesses
from app.recognition.decode.file_kinds import FileKind
from tests.kit.photos import encoded, pixels
from tests.recognition.decode import hostile_files as hostile
from tests.recognition.pictures import small

_TIFF = encoded(small(), "TIFF", compression="tiff_lzw")
_LONG_S = 60.0


@pytest.fixture
def processes() -> Iterator[DecoderProcesses]:
    made = DecoderProcesses()
    yield made
    made.stop()


def _decode(
    processes: DecoderProcesses, data: bytes = _TIFF, kind: FileKind = FileKind.TIFF
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return processes.decode(kind, data, max_pixels=100_000_000, memory_bytes=300_000_000).pixels


def test_one_process_serves_one_photo_after_the_other(processes: DecoderProcesses) -> None:
    for _ in range(3):
        np.testing.assert_array_equal(_decode(processes), pixels(small()))
    assert len(processes._all) == 1


def test_a_process_that_was_ended_while_it_was_idle_is_replaced(
    processes: DecoderProcesses,
) -> None:
    _decode(processes)
    (ended,) = processes._all
    ended._process.kill()
    ended._process.wait()
    np.testing.assert_array_equal(_decode(processes), pixels(small()))
    assert ended not in processes._all


def test_as_many_processes_as_threads_decode(processes: DecoderProcesses) -> None:
    with ThreadPoolExecutor(3) as threads:
        for found in threads.map(lambda _: _decode(processes), range(9)):
            np.testing.assert_array_equal(found, pixels(small()))
    assert 1 <= len(processes._all) <= 3


def test_what_takes_too_long_is_ended_and_the_next_photo_is_decoded() -> None:
    processes = DecoderProcesses(decode_s=0.1)
    try:
        with pytest.raises(DecodingTooSlow, match=r"more than 0\.1 s"):
            _decode(processes, hostile.run_length_bmp(5_000_000), FileKind.BMP)
        assert not processes._all
        np.testing.assert_array_equal(
            DecoderProcesses()
            .decode(FileKind.TIFF, _TIFF, max_pixels=10_000, memory_bytes=10_000_000)
            .pixels,
            pixels(small()),
        )
    finally:
        processes.stop()


def test_what_takes_too_much_memory_is_refused_and_the_process_goes_on(
    processes: DecoderProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = encoded(Image.new("RGB", (6_000, 4_000)), "TIFF", compression="tiff_lzw")
    monkeypatch.setattr(decoder_process, "_SLACK_BYTES", 0)
    with pytest.raises(ImageUnreadable, match="more memory"):
        processes.decode(FileKind.TIFF, large, max_pixels=10**8, memory_bytes=100_000_000)
    np.testing.assert_array_equal(_decode(processes), pixels(small()))


def test_a_process_that_dies_costs_its_own_photo_alone(
    processes: DecoderProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = decoder_process._Decoder.ask

    def dying(decoder: decoder_process._Decoder, *arguments: Any) -> Any:
        decoder._process.kill()
        return ask(decoder, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(decoder_process._Decoder, "ask", dying)
        with pytest.raises(ImageUnreadable, match="damaged"):
            _decode(processes)
    np.testing.assert_array_equal(_decode(processes), pixels(small()))


def test_the_size_that_only_the_decoder_sees_is_checked_there(processes: DecoderProcesses) -> None:
    with pytest.raises(ImageTooLarge) as caught:
        processes.decode(
            FileKind.WEBP, encoded(small(), "WEBP"), max_pixels=100, memory_bytes=10_000_000
        )
    assert caught.value.setting == "VULTUS_LIMITS__MAX_PIXELS"


def test_a_call_that_waits_for_a_photo_is_refused_as_stopping_when_the_processes_stop(
    processes: DecoderProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    ask = decoder_process._Decoder.ask

    def announced(*arguments: Any) -> Any:
        begun.set()
        return ask(*arguments)

    monkeypatch.setattr(decoder_process._Decoder, "ask", announced)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(
            _decode, processes, hostile.run_length_bmp(20_000_000), FileKind.BMP
        )
        assert begun.wait(_LONG_S)
        processes.stop()
        with pytest.raises(Stopping):
            waiting.result(_LONG_S)
    with pytest.raises(Stopping):
        _decode(processes)


def test_a_process_sees_no_setting_and_no_key(
    processes: DecoderProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_API_KEYS", "a-key-that-nobody-else-knows")
    _decode(processes)
    (decoder,) = processes._all
    environment = Path(f"/proc/{decoder._process.pid}/environ").read_bytes()
    assert b"a-key-that" not in environment


def test_damage_makes_one_line_of_log_whatever_the_decoder_prints(
    processes: DecoderProcesses, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded(small().resize((600, 400)), "TIFF", compression="jpeg"))
    for place in range(2_000, len(data) - 1_000, 40):
        data[place] ^= 0xFF
    capfd.readouterr()
    with suppress(ImageUnreadable):
        _decode(processes, bytes(data))
    written = capfd.readouterr()
    assert len((written.out + written.err).splitlines()) <= 1
