"""The optimiser, and the learning rate at each step."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from models.training.config import OptimiserOptions


class Optimiser:
    """One optimiser for the parameters of the network and of the loss, with separate rates.

    The rates follow from the step alone, so that a continued run needs no scheduler state.
    """

    def __init__(
        self, network: nn.Module, loss: nn.Module, options: OptimiserOptions, *, steps: int
    ) -> None:
        self._options = options
        self._steps = steps
        self.network_parameters = _trained(network)
        self.loss_parameters = _trained(loss)
        decayed, plain = _by_decay(self.network_parameters)
        groups = [
            {"params": decayed, "peak": options.rate, "weight_decay": options.weight_decay},
            {"params": plain, "peak": options.rate, "weight_decay": 0.0},
            {"params": self.loss_parameters, "peak": options.loss_rate, "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        self.torch: Optimizer = (
            AdamW(groups, lr=options.rate)
            if options.name == "adamw"
            else SGD(groups, lr=options.rate, momentum=options.momentum)
        )

    def set_rates(self, step: int) -> float:
        """Set the rates of a step, counted from 0; return the network's rate."""
        share = rate_share(
            step,
            steps=self._steps,
            warmup=self._options.warmup_steps,
            final=self._options.final_share,
        )
        for group in self.torch.param_groups:
            group["lr"] = group["peak"] * share
        return self._options.rate * share

    def clip(self) -> float:
        """Clip the gradients of the network and, separately, those of the loss, so that many
        classes do not reduce those of the network. Returns the sum of both original norms."""
        most = self._options.clip_norm or math.inf
        return sum(
            float(torch.nn.utils.clip_grad_norm_(parameters, most))
            for parameters in (self.network_parameters, self.loss_parameters)
            if parameters
        )


def rate_share(step: int, *, steps: int, warmup: int, final: float) -> float:
    """Share of the highest rate: linear over `warmup` steps, then a half cosine down to `final`
    (Loshchilov and Hutter, 2017)."""
    warmup = min(warmup, steps - 1)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - 1 - warmup)
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _by_decay(
    parameters: Iterable[nn.Parameter],
) -> tuple[Sequence[nn.Parameter], Sequence[nn.Parameter]]:
    """Parameters with weight decay, and those without: biases, and scales of normalisation."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in parameters:
        (decayed if parameter.ndim > 1 else plain).append(parameter)
    return decayed, plain
