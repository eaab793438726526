"""Linear metrics for frozen embeddings, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from models.training.errors import MetricOptionsError, UnknownMetricError
from models.training.metrics.base import LinearMetric, MetricSpec
from models.training.metrics.lmnn import LMNN
from models.training.metrics.mahalanobis import MAHALANOBIS
from models.training.options import read_options

__all__ = ["METRICS", "LinearMetric", "MetricSpec", "build_metric"]

METRICS: Mapping[str, MetricSpec] = MappingProxyType(
    {spec.name: spec for spec in (MAHALANOBIS, LMNN)}
)


def build_metric(name: str, options: Mapping[str, object] | None = None) -> LinearMetric:
    """A metric to fit. Raises UnknownMetricError, MetricOptionsError."""
    spec = METRICS.get(name)
    if spec is None:
        raise UnknownMetricError(f"no linear metric {name!r}; there are: {', '.join(METRICS)}")
    chosen = read_options(spec.options, options, of=f"the metric {name}", error=MetricOptionsError)
    return spec.build(chosen)
