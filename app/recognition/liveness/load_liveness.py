"""Load the liveness networks that the settings name."""

from app.recognition.build import cpu_threads
from app.recognition.device import resolve_device
from app.recognition.liveness.liveness_entries import liveness_entry
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.liveness.liveness_thresholds import LivenessThresholds
from app.recognition.startup_errors import startup_error
from app.settings import Settings
from models.zoo.catalogue.entry import CatalogueEntry
from models.zoo.catalogue.load import fetched_file
from models.zoo.errors import WeightsError
from models.zoo.networks.liveness import LivenessNetwork


def load_liveness(settings: Settings) -> LivenessScorer | None:
    """Load the networks, with the threshold of the settings, else the fitted one.

    Returns None where the settings name no network. Raises StartupError for one that is unknown,
    not fetched or damaged.
    """
    entries = [liveness_entry(name) for name in settings.liveness.name]
    if not entries:
        return None
    try:
        networks = [_load(settings, entry) for entry in entries]
    except WeightsError as error:
        raise startup_error(error, "VULTUS_") from error
    threshold = settings.liveness.threshold
    if threshold is None:
        fitted = LivenessThresholds(settings.liveness_dir).find(LivenessScorer(networks).digest)
        threshold = None if fitted is None else fitted.threshold
    return LivenessScorer(networks, threshold)


def _load(settings: Settings, entry: CatalogueEntry) -> LivenessNetwork:
    card = entry.liveness
    assert card is not None  # as in every card of this kind
    return LivenessNetwork(
        entry.name,
        card,
        fetched_file(entry, settings.resolved_weights_dir),
        device=resolve_device(settings.device),
        threads=cpu_threads(),
    )
