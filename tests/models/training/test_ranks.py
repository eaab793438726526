"""Two processes that torchrun starts train as one does on the same batches."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from models.training.networks import build_network
from models.training.results.run_folder import RunFolder, RunSource, begin_run, read_report
from models.training.steps.checkpoint import load_checkpoint
from models.training.trainer import train
from models.zoo.architectures import DLIB_INPUT
from tests.models.training.crops import make_config, make_store

ROOT = Path(__file__).parents[3]


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    # A network without normalisation, whose statistics each process would take for itself; a loss
    # with a parameter, and a miner that draws.
    store = make_store(tmp_path / "crops", people=8, photos=3, spec=DLIB_INPUT)
    config = make_config(
        epochs=1,
        steps_per_epoch=4,
        network={
            "name": "dlib-resnet",
            "size_px": None,
            "dimension": None,
            "frozen_parts": 12,
        },
        data={"people": 4, "examples": 2, "choose": 0, "test": 0},
        loss={"name": "margin", "miner": "distance-weighted"},
        # Of gradients that are all scaled alike, AdamW or clipping would make the same steps.
        optimiser={"name": "sgd", "clip_norm": 0, "rate": 1e-2, "warmup_steps": 0},
    )
    source = RunSource(config, store.folder)
    one = begin_run(tmp_path / "one", source)
    train(config, store, one, weights_dir=tmp_path)
    two = begin_run(tmp_path / "two", source)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run(
        [*launcher, "-m", "tests.models.training.train_process", store.folder, two.path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=300,
        capture_output=True,
    )
    assert read_report(two.path)["processes"] == 2
    before = build_network(config.network, weights_dir=tmp_path, seed=config.seed).module
    expected, found = (
        load_checkpoint(RunFolder(path).checkpoint, crops=store.digest)
        for path in (one.path, two.path)
    )
    moved = 0
    for name, tensor in expected.network.items():
        step = (tensor - before.state_dict()[name]).abs().max()
        moved += int(step > 1e-5)
        difference = (found.network[name] - tensor).abs().max()
        assert difference <= 0.02 * step + 1e-7, name
    assert moved >= 5
    for name, tensor in expected.loss.items():
        torch.testing.assert_close(found.loss[name], tensor, rtol=1e-4, atol=1e-6)
    mean = [read_report(run.path)["history"][-1]["loss"] for run in (one, two)]
    torch.testing.assert_close(mean[0], mean[1], rtol=1e-5, atol=1e-6)
