"""One run of fine-tuning: steps of the last parts of a network on stored features."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.training.errors import NotFiniteError
from models.training.networks import TrainableNetwork
from models.training.steps.bank import WholeBank
from models.training.steps.optimise import Optimiser
from models.training.tuning.features import Features, divisible
from models.training.tuning.look_alikes import LookAlikes, Places
from models.training.tuning.tuning_config import TuningConfig
from models.training.tuning.weighted_threshold import WeightedThreshold

_CENTRES_STEPS = 10  # look-alikes change little from step to step
_PART = 256  # photos embedded at once

Stepped = Callable[[float, float], None]
"""A function of the loss and the learning rate of each step."""


class Tuner:
    """Tunes `network` on `features` of photos with the numbers `labels` (N,) of their people."""

    def __init__(
        self,
        network: TrainableNetwork,
        features: Features,
        labels: np.ndarray[tuple[int], np.dtype[np.int64]],
        config: TuningConfig,
        *,
        device: torch.device,
    ) -> None:
        self._network = network
        self._divided = divisible(network)
        self._features = features
        self._labels = torch.from_numpy(labels).to(device)
        self._config = config
        self._device = device
        self._batches = LookAlikes(labels, config.data)

    def run(self, number: int, stepped: Stepped) -> None:
        """Make the `number`-th run; its draws follow from the seed and its number.

        Raises NotFiniteError.
        """
        config = self._config
        draw = np.random.default_rng((config.seed, number))
        # Normalisation keeps its statistics: look-alikes have others than all people, and averaged
        # weights would not fit the statistics of any run.
        self._network.module.eval()
        bank = self._filled_bank()
        loss = WeightedThreshold(config.loss, bank).to(self._device)
        optimiser = Optimiser(self._network.module, loss, config.optimiser, steps=config.steps)
        for step in range(config.steps):
            if step and step % config.refresh_steps == 0:
                bank = self._filled_bank()
            if step % _CENTRES_STEPS == 0:
                centres = self._batches.centres(bank.numpy())
            places = self._batches.draw(centres, draw)
            copies = draw.integers(len(self._features), size=len(places))
            rate = optimiser.set_rates(step)
            value = self._step(places, copies, bank, loss, optimiser)
            stepped(value, rate)

    def _step(
        self,
        places: Places,
        copies: Places,
        bank: WholeBank,
        loss: WeightedThreshold,
        optimiser: Optimiser,
    ) -> float:
        embeddings = self._embed(
            torch.from_numpy(self._features[copies, places].astype(np.float32))
        )
        where = torch.from_numpy(places).to(self._device)
        found: Tensor = loss(embeddings, self._labels[where], where, bank)
        optimiser.torch.zero_grad(set_to_none=True)
        found.backward()  # type: ignore[no-untyped-call]
        value, norm = float(found.detach()), optimiser.clip()
        if not math.isfinite(value) or not math.isfinite(norm):
            raise NotFiniteError(
                f"the loss is {value}, the norm of its gradients {norm}; lower optimiser.rate"
            )
        optimiser.torch.step()
        bank.put(copies, places, embeddings)
        return value

    def _filled_bank(self) -> WholeBank:
        """The bank of the first copies, in parts, as all features are too large in float32."""
        copies = self._features[: self._config.loss.bank_copies]
        with torch.inference_mode():
            rows = [torch.cat([self._embed(part) for part in _in_parts(copy)]) for copy in copies]
        return WholeBank(torch.stack(rows).clone(), self._labels)

    def _embed(self, features: Tensor) -> Tensor:
        rows = self._divided.finish(features.to(self._device), self._config.network.frozen_parts)
        return functional.normalize(rows.float())


def _in_parts(features: NDArray[np.float16]) -> list[Tensor]:
    starts = range(0, len(features), _PART)
    return [torch.from_numpy(features[at : at + _PART].astype(np.float32)) for at in starts]
