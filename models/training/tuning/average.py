"""Average the weights of several runs, and move them back towards those that they began with.

Runs that begin with the same weights end in one basin, so that the mean of their weights is a
network too, and a better one than most of them (model soups: Wortsman et al., ICML 2022). Between
it and the network before lie networks that have learned less and forgotten less (WiSE-FT: Wortsman
et al., CVPR 2022).
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

State = Mapping[str, Tensor]


def mean_state(states: Sequence[State]) -> dict[str, Tensor]:
    """The mean of each tensor; counters of batches are the first run's."""
    first = states[0]
    return {
        name: sum((state[name] for state in states[1:]), value) / len(states)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }


def moved_back(state: State, before: State, share: float) -> dict[str, Tensor]:
    """`share` of the way from `state` (0) to what was `before` (1)."""
    return {
        name: value + share * (before[name] - value) if value.is_floating_point() else value
        for name, value in state.items()
    }
