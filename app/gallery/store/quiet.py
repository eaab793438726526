"""How long no change was signalled."""

from time import monotonic

_LOOK_ANYWAY_S = 1.0


class Quiet:
    """A signal is a wake-up, not the truth: after a while without one, the log is read anyway."""

    def __init__(self) -> None:
        self._since = monotonic()

    def ends(self, signalled: bool) -> bool:
        now = monotonic()
        if not signalled and now - self._since < _LOOK_ANYWAY_S:
            return False
        self._since = now
        return True
