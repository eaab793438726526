"""Processes that are stopped for a while, as if they hung."""

import os
import signal
from pathlib import Path
from time import sleep


def pause(pid: int) -> None:
    """Send SIGSTOP and return once no thread of the process runs any more. Linux alone.

    The signal itself is delivered later: a process goes on for a moment on a busy machine.
    """
    os.kill(pid, signal.SIGSTOP)
    while not all(_is_stopped(thread) for thread in Path(f"/proc/{pid}/task").iterdir()):
        sleep(0.001)


def resume(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


def _is_stopped(thread: Path) -> bool:
    # The state follows the name, which is in brackets and may hold any character.
    state = (thread / "stat").read_text(encoding="utf-8").rpartition(") ")[2]
    return state.startswith(("T", "Z"))
