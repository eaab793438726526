"""The share of the processor that a thread asks for."""

import os
import sys
import threading

_MOST_NICENESS = 19


def give_way(by: int) -> None:
    """Raise the niceness of the calling thread by `by`, up to 19; other threads then go first.

    Only Linux has priorities of threads; elsewhere this does nothing.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # On top of what the service was started with: a process may not ask for less.
        nicer = os.getpriority(os.PRIO_PROCESS, thread) + by
        os.setpriority(os.PRIO_PROCESS, thread, min(nicer, _MOST_NICENESS))
