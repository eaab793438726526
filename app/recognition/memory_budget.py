"""A limit on the memory of all photos that are decoded at once."""

from threading import Condition


class MemoryBudget:
    """`total_bytes` that threads share. A request for more than all of them is granted when nothing
    else is taken, so that each photo within the limits is decoded at some time.

    A thread that holds some bytes must not wait for more, or two threads could wait for each other.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._taken = 0
        self._changed = Condition()

    @property
    def total_bytes(self) -> int:
        return self._total

    def try_take(self, count: int) -> bool:
        """Take bytes if they are free; return whether they were."""
        with self._changed:
            if not self._fits(count):
                return False
            self._taken += count
            return True

    def take(self, count: int) -> None:
        """Wait until bytes are free, and take them."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(count))
            self._taken += count

    def give_back(self, count: int) -> None:
        with self._changed:
            self._taken -= count
            self._changed.notify_all()

    def _fits(self, count: int) -> bool:
        return self._taken == 0 or self._taken + count <= self._total
