"""The network that serves where no setting names one, and what its similarities mean."""

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.network import NetworkSpec
from models.zoo.registry import ZOO

_spec = ZOO[DEFAULT_NETWORK].spec
assert _spec is not None
assert _spec.calibration is not None
SPEC: NetworkSpec = _spec
CALIBRATION: SimilarityMap = _spec.calibration
MATCH: float = CALIBRATION.threshold(1e-3)
"""The similarity from which on two faces match by default, also among a few people."""
