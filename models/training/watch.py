"""A follower of a training or fine-tuning run, such as a progress bar."""

from collections.abc import Mapping
from typing import Any


class Watch:
    """A follower of a run. By default, it ignores all reports."""

    def began(self, *, step: int, steps: int, people: int, photos: int, copies: int) -> None:
        """The run begins at `step`; in fine-tuning, it computes `copies` of photos first."""

    def computed(self, copies: int) -> None:
        """This many more copies were computed."""

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        """`step` steps were made; the loss and the network's learning rate of the last one."""

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        """The figures of an evaluation, as in the log."""
