"""Several processes that train one network, started by `torchrun`.

Each takes an equal part of every batch. Embeddings and their gradients are gathered from all
processes, so that every loss and every miner uses the whole batch, as in training with one process.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

_PATIENCE = timedelta(hours=2)  # the first process evaluates while the others wait


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process is number `rank` of `count`."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, whose backward pass averages gradients over all processes."""
        if self.count == 1:
            return module
        # On a CPU, each process has its own statistics of normalisation; the first one's are kept.
        return DistributedDataParallel(module, broadcast_buffers=False)

    def gather(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings and labels of all processes, in the order of the whole batch."""
        if self.count == 1:
            return embeddings, labels
        everyone: Tensor = _Gather.apply(embeddings)
        found = [torch.empty_like(labels) for _ in range(self.count)]
        dist.all_gather(found, labels)
        return everyone, torch.cat(found)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Average the gradients of parameters that all processes share, so that they stay equal."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined_ranks(device: str) -> Iterator[tuple[Ranks, torch.device]]:
    """Join the other processes of `torchrun`, if there are any; each gets its own GPU."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Ranks(), torch.device(device)
        return
    place = torch.device(device, int(os.environ["LOCAL_RANK"])) if device == "cuda" else None
    if place is not None:
        torch.cuda.set_device(place)
    dist.init_process_group("gloo" if place is None else "nccl", timeout=_PATIENCE)
    try:
        yield Ranks(dist.get_rank(), count), place or torch.device(device)
    finally:
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """The rows of all processes. Backward adds the gradients of the own rows from all losses.

    Every process computes the loss of the whole batch, so that the sum is `count` times the
    gradient; DistributedDataParallel then averages it to the gradient.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:  # noqa: ANN401
        ctx.rows = len(rows)
        found = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(found, rows.contiguous())
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401  # type: ignore[override]
        everyone = gradient.contiguous()
        dist.all_reduce(everyone)
        start = dist.get_rank() * ctx.rows
        return everyone[start : start + ctx.rows]
