"""The metrics of an evaluation during training."""

from collections.abc import Mapping
from types import MappingProxyType

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "auc": "AUC, all pairs",
        "tar_at_fmr.1e-2": "TAR at FMR 1e-2",
        "tar_at_fmr.1e-3": "TAR at FMR 1e-3",
        "tar_at_fmr.1e-4": "TAR at FMR 1e-4",
        "recall.1": "Recall@1",
        "nmi": "NMI",
        "fnir_at_fpir.1e-1": "FNIR at FPIR 1e-1",
        "fnir_at_fpir.1e-2": "FNIR at FPIR 1e-2",
    }
)
"""Titles by name. An evaluation omits the metrics that the photos cannot show."""


def is_better(metric: str, value: float, than: float) -> bool:
    """Whether a value is better: a lower error rate, else a higher value."""
    return value < than if metric.startswith("fnir") else value > than
