"""Averages of the weights of several runs, and interpolation towards the initial weights.

Runs with the same initial weights end in one basin of the loss, so that the mean of their weights
is a network, too, and better than most of them (model soups: Wortsman et al., ICML 2022). Networks
between the mean and the initial weights have learned less and forgotten less (WiSE-FT: Wortsman et
al., CVPR 2022).
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

State = Mapping[str, Tensor]


def mean_state(states: Sequence[State]) -> dict[str, Tensor]:
    """The mean of each tensor; integer counters are those of the first run."""
    first = states[0]
    return {
        name: sum((state[name] for state in states[1:]), value) / len(states)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }


def moved_back(state: State, before: State, share: float) -> dict[str, Tensor]:
    """Interpolate from `state` (`share` 0) to `before` (`share` 1)."""
    return {
        name: value + share * (before[name] - value) if value.is_floating_point() else value
        for name, value in state.items()
    }
