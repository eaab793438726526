"""Signals that end a program which has something to remove first."""

import signal
from types import FrameType, TracebackType
from typing import Final, Self

_OF_TERMINALS: Final = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # not on Windows
"""What comes when the terminal is closed."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *_OF_TERMINALS)


class EndSignals:
    """Within its block, each of the signals raises KeyboardInterrupt.

    Python swallows an exception that is raised in a destructor, so the signal is also remembered.
    A server that handles SIGTERM gets SIGHUP as SIGTERM.
    """

    def __init__(self) -> None:
        self._came = False
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def __enter__(self) -> Self:
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._interrupt)
        for number in _OF_TERMINALS:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGTERM))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def raise_if_any(self) -> None:
        """Raise KeyboardInterrupt if a signal came before."""
        if self._came:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """Ignore the signals until the block ends."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt
