"""Threshold loss of fine-tuning: each pair of a batch and the bank is a decision by cosine."""

import numpy as np
import torch
from torch import Tensor, nn

from models.training.losses.base import mean
from models.training.losses.threshold import above, below
from models.training.steps.bank import WholeBank
from models.training.tuning.tuning_config import TunedLossOptions

_MOST_PHOTOS = 5_000  # to estimate a similarity


class WeightedThreshold(nn.Module):
    """A logistic loss of verification, with a weight for strangers.

        mean over pairs of one person of log(1 + e^(s (t - cos))) / s
        + w * mean over pairs of strangers of log(1 + e^(s (cos - t))) / s

    The first mean is a mean over photos of the batch of the mean over a photo's pairs: the number
    of pairs grows with the square of a person's photos, so that a few people would have most pairs.
    Two copies of one photo are no pair. Most pairs of strangers are far below t, so that their mean
    is small and needs the weight w. t begins at the similarity of the wanted FMR. Zhai et al.:
    Sigmoid Loss for Language Image Pre-Training (ICCV 2023) learn a bias and a scale similarly.
    """

    def __init__(self, options: TunedLossOptions, bank: WholeBank) -> None:
        super().__init__()
        self._scale = options.scale
        self._negative_weight = options.negative_weight
        self.threshold = nn.Parameter(
            torch.tensor(_similarity_at(options.fmr, bank), dtype=torch.float32)
        )

    def forward(
        self, embeddings: Tensor, labels: Tensor, places: Tensor, bank: WholeBank
    ) -> Tensor:
        """The loss, a scalar, of embeddings (B, D) of length 1; `places` (B,) are their photos."""
        cosine = embeddings @ bank.rows().T
        one = labels[:, None] == bank.labels[None, :]
        two = ~one
        one &= places[:, None] != bank.places[None, :]
        positive = below(self.threshold, cosine, self._scale) * one
        negative = above(self.threshold, cosine[two], self._scale)
        pairs = one.sum(dim=1)
        of_photos = (positive.sum(dim=1) / pairs.clamp(min=1)).sum() / (pairs > 0).sum().clamp(
            min=1
        )
        return (of_photos + self._negative_weight * mean(negative)) / self._scale


def _similarity_at(fmr: float, bank: WholeBank) -> float:
    """The similarity that this share of the pairs of strangers exceeds, by one copy of a photo."""
    count = min(bank.photos, _MOST_PHOTOS)
    chosen = torch.linspace(0, bank.photos - 1, count, device=bank.labels.device).long()
    rows, labels = bank.rows()[chosen], bank.labels[chosen]
    strangers = (rows @ rows.T)[labels[:, None] != labels[None, :]]
    return float(np.quantile(strangers.cpu().numpy(), 1.0 - fmr))
