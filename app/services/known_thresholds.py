"""The thresholds of a service: by its settings, and by the calibration of each embedder."""

from dataclasses import replace

from app.errors import StartupError
from app.operations.policy.calibrator import CalibrationFiles
from app.operations.policy.disclosure import least_shown
from app.operations.policy.thresholds import Thresholds
from app.recognition.types import ModelId
from app.settings import Settings
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.errors import WeightsError
from models.zoo.network import Network
from models.zoo.registry import find_spec


def default_thresholds(settings: Settings, network: Network) -> Thresholds:
    """Thresholds of this service, by the calibration measured here, else by the network's own.

    Raises StartupError when the file of the former is damaged.
    """
    model = ModelId(network.spec.name, network.digest, network.spec.dimension)
    chosen = settings.thresholds
    policy = Thresholds(
        embedder=model.name,
        map=known_map(settings, model),
        target_fmr=chosen.target_fmr,
        target_fpir=chosen.target_fpir,
        verify=chosen.verify,
        identify=chosen.identify,
        cautious="target_fpir" not in chosen.model_fields_set,
    )
    return _withholding(policy, network)


def _withholding(policy: Thresholds, network: Network) -> Thresholds:
    least = least_shown(policy, dimension=network.spec.dimension)
    return replace(policy, least_shown=least)


def known_map(settings: Settings, model: ModelId) -> SimilarityMap | None:
    """The calibration of an embedder that was measured here, or that comes with it.

    Raises StartupError when the file of the former, or the network's card, is damaged.
    """
    try:
        spec = find_spec(model.name, settings.resolved_weights_dir)
    except WeightsError as error:
        raise StartupError(str(error)) from error
    shipped = None if spec is None else spec.calibration
    if shipped is not None and shipped.digest != model.digest:
        shipped = None  # other weights: other similarities
    return calibration_files(settings).find(model) or shipped


def next_thresholds(settings: Settings, network: Network) -> Thresholds:
    """Thresholds of collections that have gone over to the next embedder.

    Similarities in the settings belong to the other embedder, so that they do not apply.
    """
    ours = default_thresholds(settings, network)
    return _withholding(replace(ours, verify=None, identify=None), network)


def calibration_files(settings: Settings) -> CalibrationFiles:
    return CalibrationFiles(settings.data_dir / "calibrations")
