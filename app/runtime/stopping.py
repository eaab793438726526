"""The moment at which the service begins to stop, and what is called then."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Begins once, and calls all that is registered by then. Belongs to one event loop."""

    def __init__(self) -> None:
        self.begun = False
        self._calls: dict[int, Callable[[], object]] = {}
        self._next = 0

    @contextmanager
    def calling(self, do: Callable[[], object]) -> Iterator[None]:
        """Have `do` called when it begins within the block."""
        number, self._next = self._next, self._next + 1
        self._calls[number] = do
        try:
            yield
        finally:
            del self._calls[number]

    def begin(self) -> None:
        if not self.begun:
            self.begun = True
            for do in list(self._calls.values()):
                do()


@contextmanager
def at_signals(do: Callable[[], object]) -> Iterator[None]:
    """Call `do` at SIGTERM and SIGINT within the block, before what they did so far.

    Servers wait for requests to end before they stop the application; this is how the application
    hears of it in time to end them. A thread other than the main one gets no signals.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        do()
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)
        elif previous == signal.SIG_DFL:  # nothing else listens: end as the signal ends processes
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, previous in before.items():
            if previous is not None:
                signal.signal(number, previous)
