"""Linear metrics for frozen embeddings, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from models.training.errors import MetricOptionsError, UnknownMetricError
from models.training.metrics.base import LinearMetric
from models.training.metrics.lmnn import Lmnn
from models.training.metrics.mahalanobis import Mahalanobis
from models.training.options import read_options

__all__ = ["METRICS", "LinearMetric", "build_metric"]

METRICS: Mapping[str, type[LinearMetric]] = MappingProxyType(
    {metric.name: metric for metric in (Mahalanobis, Lmnn)}
)


def build_metric(name: str, options: Mapping[str, object] | None = None) -> LinearMetric:
    """A metric to fit. Raises UnknownMetricError, MetricOptionsError."""
    metric = METRICS.get(name)
    if metric is None:
        raise UnknownMetricError(f"no linear metric {name!r}; there are: {', '.join(METRICS)}")
    chosen = read_options(
        metric.options, options, of=f"the metric {name}", error=MetricOptionsError
    )
    return metric(chosen)
