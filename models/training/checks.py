"""Checks before a run, which takes hours."""

from pathlib import Path

from models.training.config import TrainingConfig
from models.training.errors import MinedTuplesError
from models.training.losses import build_loss
from models.training.miners import build_miner
from models.training.networks import input_of
from models.training.results.run_folder import require_unused
from models.zoo.network import InputSpec


def require_possible(config: TrainingConfig, run: Path) -> InputSpec:
    """Check the configuration and the folder of a run; return the network's crop.

    Raises TrainingError.
    """
    require_unused(run)
    chosen = config.loss
    loss = build_loss(chosen.name, dimension=2, classes=2, options=chosen.options)
    if build_miner(chosen.miner, chosen.miner_options) is not None and not loss.mined:
        raise MinedTuplesError(
            f"the loss {chosen.name} is not made of pairs or triplets: leave loss.miner out"
        )
    return input_of(config.network)
