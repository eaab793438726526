"""Several processes that train one network, as `torchrun` starts them.

Each takes an equal part of every batch. Embeddings are gathered from all of them, with their
gradients, so that every loss, and every miner, sees the whole batch: the same training as in one
process.
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

_PATIENCE = timedelta(hours=2)  # the first of them evaluates while the others wait


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process is number `rank` of `count`."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Have backward average the gradients over all processes."""
        if self.count == 1:
            return module
        # On a CPU, statistics of normalisation are each process's own; the first one's are kept.
        return DistributedDataParallel(module, broadcast_buffers=False)

    def gather(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Those of all processes, in the order of the whole batch."""
        if self.count == 1:
            return embeddings, labels
        everyone: Tensor = _Gather.apply(embeddings)
        found = [torch.empty_like(labels) for _ in range(self.count)]
        dist.all_gather(found, labels)
        return everyone, torch.cat(found)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Gradients of what every process has alike, so that rounding cannot part them."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined_ranks(device: str) -> Iterator[tuple[Ranks, torch.device]]:
    """Join the others, where `torchrun` started several; each gets a GPU of its own."""
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
    """All processes' rows. Its backward adds what each process's loss asks of this one's rows.

    Every process computes the loss of the whole batch, so that sum is `count` times the gradient;
    the average that DistributedDataParallel then takes makes it the gradient.
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
