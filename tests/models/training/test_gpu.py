"""On CUDA a run learns what it learns on the CPU, also in half precision."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.training.config import TrainingConfig, config_from
from models.training.data.crop_store import CropStore
from models.training.networks import TrainableNetwork, build_network
from models.training.results.measure import embed
from models.training.results.run_folder import RunFolder, RunSource, begin_run
from models.training.trainer import train
from models.training.tuning.tune import tune
from models.training.tuning.tuning_config import TuningConfig
from models.zoo.weights.module_weights import fill
from models.zoo.weights.weights_file import read_weights
from tests.models.training.crops import SIDE, make_config, make_store

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    return make_store(tmp_path_factory.mktemp("crops"), people=16)


def _train(path: Path, store: CropStore, config: TrainingConfig, device: str) -> Mapping[str, Any]:
    folder = begin_run(path, RunSource(config, store.folder))
    return train(config, store, folder, weights_dir=path, device=device)


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_cuda_trains_in_every_precision(store: CropStore, tmp_path: Path, precision: str) -> None:
    config = make_config(epochs=6, precision=precision)
    report = _train(tmp_path / "run", store, config, "cuda")
    assert report["device"] == "cuda"
    assert report["test"]["auc"] > max(0.8, report["history"][0]["auc"])
    losses = [line["loss"] for line in report["history"][1:]]
    assert losses[-1] < losses[0]


def test_cuda_trains_as_the_cpu_does(store: CropStore, tmp_path: Path) -> None:
    config = make_config(epochs=1)
    rows = []
    for device in ("cpu", "cuda"):
        run = tmp_path / device
        _train(run, store, config, device)
        rows.append(_embedded(config, store, run))
    untrained = build_network(config.network, weights_dir=tmp_path, seed=config.seed)
    apart = 1 - (rows[0] * rows[1]).sum(axis=1)
    moved = 1 - (rows[0] * _rows(untrained, store)).sum(axis=1)
    assert apart.max() < 0.05  # each step rounds otherwise, and the next begins there
    assert apart.mean() < moved.mean() / 5


def test_cuda_tunes_as_the_cpu_does(store: CropStore, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    _train(begun, store, make_config(network={"name": "mobilefacenet"}), "cpu")
    config = config_from(
        TuningConfig,
        {
            "runs": 2,
            "steps": 10,
            "threads": 1,
            "back": [0.0],
            "data": {"groups": 3, "people": 4, "copies": 3, "choose": 0.0, "test": 0.25},
            "network": {
                "name": "mobilefacenet",
                "weights": str(RunFolder(begun).weights),
                "size_px": SIDE,
                "dimension": 8,
                "frozen_parts": 2,
                "mirror_average": False,
            },
            "loss": {"scale": 20.0, "fmr": 0.05, "bank_copies": 2},
            "evaluation": {"metric": "auc"},
        },
    )
    rows = []
    for device in ("cpu", "cuda"):
        run = tmp_path / device
        run.mkdir()
        tune(config, store, RunFolder(run), weights_dir=run, device=device)
        rows.append(_embedded(config, store, run))
    assert (rows[0] * rows[1]).sum(axis=1).min() > 0.99


def _embedded(
    config: TrainingConfig | TuningConfig, store: CropStore, run: Path
) -> NDArray[np.float32]:
    """By the weights that a run left, on the CPU."""
    network = build_network(config.network, weights_dir=run, seed=config.seed)
    fill(network.module, read_weights(RunFolder(run).weights).state, config.network.name)
    return _rows(network, store)


def _rows(network: TrainableNetwork, store: CropStore) -> NDArray[np.float32]:
    return embed(
        network.module,
        store,
        np.arange(len(store)),
        network.recipe.input,
        mirror_average=False,
        device=torch.device("cpu"),
        batch_size=64,
    )
