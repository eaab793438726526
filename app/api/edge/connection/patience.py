"""The time that a slow peer is given."""


class Patience:
    """Seconds for which a peer may stand still: time uses them up, and bytes renew them.

    So a peer that keeps to `bytes_per_s` on average is waited for without end, and one that is
    silent, or sends a byte now and then, for `most_s` (a token bucket).
    """

    def __init__(self, *, most_s: float, bytes_per_s: float) -> None:
        self._most_s = self._left_s = most_s
        self._bytes_per_s = bytes_per_s

    @property
    def is_over(self) -> bool:
        return self._left_s <= 0

    @property
    def used_s(self) -> float:
        """Seconds by which the peer is behind."""
        return self._most_s - self._left_s

    def use(self, seconds: float, moved_bytes: int) -> None:
        """Note that `seconds` passed, in which so many bytes were moved."""
        left_s = self._left_s - seconds + moved_bytes / self._bytes_per_s
        self._left_s = min(self._most_s, left_s)

    def shorten(self, most_s: float) -> None:
        """Wait for `most_s` more seconds at most, even if bytes come."""
        self._left_s = min(self._left_s, most_s)
        self._bytes_per_s = float("inf")
