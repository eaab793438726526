"""A run learns, is repeatable, goes on from whatever kills it, and reports honestly."""

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from models.training.config import ShareOptions, TrainingConfig
from models.training.data.crop_store import CropStore
from models.training.data.split import split_people
from models.training.errors import (
    MetricMissingError,
    NotFiniteError,
    RunUnusableError,
    StoreUnusableError,
    TooFewPeopleError,
)
from models.training.losses import LOSSES
from models.training.networks import build_network
from models.training.results.measure import embed, figures
from models.training.results.run_folder import (
    RunFolder,
    RunSource,
    begin_run,
    open_run,
    read_report,
)
from models.training.steps.checkpoint import load_checkpoint
from models.training.trainer import train
from models.training.watch import Watch
from models.zoo.network import InputSpec
from models.zoo.templates import FACENET_160
from models.zoo.weights.module_weights import module_of
from models.zoo.weights.weights_file import read_weights
from tests.models.training.crops import SIDE, make_config, make_store

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    return make_store(tmp_path_factory.mktemp("crops"))


def _begin(path: Path, store: CropStore, config: TrainingConfig) -> RunFolder:
    return begin_run(path, RunSource(config, store.folder))


def _train(path: Path, store: CropStore, config: TrainingConfig) -> Mapping[str, Any]:
    return train(config, store, _begin(path, store, config), weights_dir=path)


def test_a_run_learns_people_apart_whom_it_never_saw(store: CropStore, tmp_path: Path) -> None:
    report = _train(tmp_path / "run", store, make_config(epochs=6))
    untrained, best = report["history"][0], report["best"]
    assert best["auc"] > max(0.9, untrained["auc"])
    assert report["test"]["auc"] > 0.9
    losses = [line["loss"] for line in report["history"][1:]]
    assert losses[-1] < losses[0]
    assert report["data"]["train"] == {"photos": 36, "people": 6}
    assert report["data"]["test"] == {"photos": 18, "people": 3}


def test_a_run_leaves_its_weights_log_and_report(store: CropStore, tmp_path: Path) -> None:
    report = _train(tmp_path / "run", store, make_config())
    run = RunFolder(tmp_path / "run")
    assert read_report(run.path)["best"] == report["best"]
    with run.log.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["epoch"] for line in lines] == ["0", "1", "2"]
    assert [float(line["auc"]) for line in lines] == [line["auc"] for line in report["history"]]
    saved = read_weights(run.weights)
    assert saved.digest == report["digest"]
    assert saved.recipe is not None
    module = module_of(saved, saved.recipe)
    with torch.no_grad():
        assert module(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, 8)
    assert run.path.stat().st_mode & 0o077 == 0


def test_the_best_weights_are_kept_by_the_metric(store: CropStore, tmp_path: Path) -> None:
    # A rate so high that the figures rise and fall.
    config = make_config(epochs=5, optimiser={"rate": 0.3})
    report = _train(tmp_path / "run", store, config)
    assert report["best"] == max(report["history"], key=lambda line: line["auc"])
    saved = read_weights(RunFolder(tmp_path / "run").weights)
    assert saved.recipe is not None
    shares = ShareOptions(choose=0.25, test=0.25, min_photos=2)
    split = split_people(store, shares, seed=config.seed)
    rows = embed(
        module_of(saved, saved.recipe),
        store,
        split.choose,
        saved.recipe.input,
        mirror_average=False,
        device=torch.device("cpu"),
        batch_size=5,
    )
    found = figures(rows, store.labels[split.choose], seed=config.seed)
    assert found["auc"] == pytest.approx(report["best"]["auc"], abs=1e-6)


def test_two_runs_with_one_seed_are_one_and_another_seed_is_another(
    store: CropStore, tmp_path: Path
) -> None:
    digests = [
        _train(tmp_path / str(number), store, make_config(seed=seed))["digest"]
        for number, seed in enumerate((3, 3, 4))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_training_leaves_the_callers_generators_alone(store: CropStore, tmp_path: Path) -> None:
    torch.manual_seed(1)
    random.seed(1)
    before = torch.get_rng_state(), random.getstate(), torch.get_num_threads()
    _train(tmp_path / "run", store, make_config(epochs=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), torch.get_num_threads()) == before[1:]
    assert not torch.are_deterministic_algorithms_enabled()


class _Beginning(Watch):
    """Notes the step that a run begins at."""

    def began(self, *, step: int, **_: int) -> None:
        self.step = step

    def computed(self, copies: int) -> None: ...

    def stepped(self, **_: float) -> None: ...

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None: ...


def _process(store: CropStore, run: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.models.training.train_process", store.folder, run],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_run_killed_at_a_random_step_ends_with_the_same_weights(
    store: CropStore, tmp_path: Path
) -> None:
    # A loss with a parameter, a bank, augmentations, and a checkpoint every second step.
    config = make_config(loss={"name": "threshold", "bank": 30})
    whole = _train(tmp_path / "whole", store, config)
    killed_at = random.Random(20).randrange(3, 12)  # there is a checkpoint of a step by then
    run = _begin(tmp_path / "killed", store, config)
    with _process(store, run.path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(f"step {killed_at} "):
                process.kill()
                break
    assert process.returncode == -9
    assert not run.report.exists()
    resumed_from = load_checkpoint(run.checkpoint, crops=store.digest).progress.step
    assert 0 < resumed_from <= killed_at + 1
    folder, source = open_run(run.path)
    watch = _Beginning()
    report = train(source.config, store, folder, weights_dir=tmp_path, watch=watch)
    assert watch.step == resumed_from
    assert report["digest"] == whole["digest"]
    final, expected = (
        load_checkpoint(RunFolder(path).checkpoint, crops=store.digest)
        for path in (run.path, tmp_path / "whole")
    )
    assert _equal(final.network, expected.network)
    assert _equal(final.loss, expected.loss)
    assert _equal(final.bank, expected.bank)
    without_times = [
        [{k: v for k, v in line.items() if k != "seconds"} for line in run["history"]]
        for run in (report, whole)
    ]
    assert without_times[0] == without_times[1]


def _equal(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains_a_network(loss: str, store: CropStore, tmp_path: Path) -> None:
    config = make_config(loss={"name": loss}, epochs=1, steps_per_epoch=2)
    report = _train(tmp_path / "run", store, config)
    assert np.isfinite(report["history"][-1]["loss"])
    assert {"auc", "recall.1", "nmi"} <= report["best"].keys()


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_a_head_is_trained_and_the_network_before_it_stays(
    head: str, store: CropStore, tmp_path: Path
) -> None:
    config = make_config(network={"head": head, "dimension": 5})
    before = build_network(config.network, weights_dir=tmp_path, seed=config.seed).module
    _train(tmp_path / "run", store, config)
    trained = load_checkpoint(RunFolder(tmp_path / "run").checkpoint, crops=store.digest).network
    for name, tensor in before.state_dict().items():
        assert torch.equal(tensor, trained[name]) == name.startswith("backbone."), name


def test_frozen_parts_stay_with_the_statistics_of_their_normalisation(
    store: CropStore, tmp_path: Path
) -> None:
    config = make_config(network={"frozen_parts": 2})
    before = build_network(config.network, weights_dir=tmp_path, seed=config.seed).module
    _train(tmp_path / "run", store, config)
    trained = load_checkpoint(RunFolder(tmp_path / "run").checkpoint, crops=store.digest).network
    for name, tensor in before.state_dict().items():
        is_frozen = name.startswith(tuple(f"features.{layer}." for layer in range(6)))
        assert torch.equal(tensor, trained[name]) == is_frozen, name


def test_training_goes_on_from_weights_of_another_run(store: CropStore, tmp_path: Path) -> None:
    first = _train(tmp_path / "first", store, make_config(epochs=4))
    weights = RunFolder(tmp_path / "first").weights
    second = _train(
        tmp_path / "second", store, make_config(network={"weights": str(weights)}, epochs=1)
    )
    for name in ("auc", "recall.1"):
        assert second["history"][0][name] == first["best"][name]
    assert second["test_before"] == first["test"]


def test_without_people_to_choose_by_the_last_weights_are_kept(
    store: CropStore, tmp_path: Path
) -> None:
    config = make_config(data={"choose": 0, "test": 0})
    report = _train(tmp_path / "run", store, config)
    assert report["data"]["train"]["people"] == 12
    assert report["test"] == {}
    run = RunFolder(tmp_path / "run")
    last = load_checkpoint(run.checkpoint, crops=store.digest).network
    for name, tensor in read_weights(run.weights).state.items():
        assert torch.equal(tensor, last[name])


def test_a_second_run_does_not_overwrite_the_first(store: CropStore, tmp_path: Path) -> None:
    _begin(tmp_path / "run", store, make_config())
    with pytest.raises(RunUnusableError, match="no finished run"):
        read_report(tmp_path / "run")
    run = _begin(tmp_path / "run", store, make_config(seed=1))  # nothing was trained yet
    train(make_config(seed=1, epochs=1), store, run, weights_dir=tmp_path)
    with pytest.raises(RunUnusableError, match="already holds a run"):
        _begin(tmp_path / "run", store, make_config(seed=2))
    for left in (run.weights, run.report):
        other = tmp_path / left.name / "run"
        other.mkdir(parents=True)
        (other / left.name).write_bytes(left.read_bytes())
        with pytest.raises(RunUnusableError, match="already holds a run"):
            _begin(other, store, make_config())
    with pytest.raises(RunUnusableError, match="holds no run"):
        open_run(tmp_path)


def test_a_path_of_weights_is_found_from_another_folder(
    store: CropStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("auto").touch()
    Path("some.pt").touch()
    for weights, kept in (("some.pt", str(tmp_path / "some.pt")), ("auto", "auto")):
        run = _begin(tmp_path / f"run {weights}", store, make_config(network={"weights": weights}))
        assert open_run(run.path)[1].config.network.weights == kept


def test_a_run_does_not_go_on_with_other_photos(store: CropStore, tmp_path: Path) -> None:
    config = make_config(epochs=1)
    _train(tmp_path / "run", store, config)
    other = make_store(tmp_path / "other", people=12, photos=5)
    with pytest.raises(RunUnusableError, match="other photos"):
        train(config, other, RunFolder(tmp_path / "run"), weights_dir=tmp_path)


def test_crops_cut_for_another_network_are_refused(tmp_path: Path) -> None:
    spec = InputSpec(SIDE, FACENET_160, (127.5,) * 3, (127.5,) * 3)
    other = make_store(tmp_path / "crops", spec=spec)
    with pytest.raises(StoreUnusableError, match="cut for another"):
        _train(tmp_path / "run", other, make_config())


def test_a_metric_that_cannot_be_measured_is_told_before_training(
    store: CropStore, tmp_path: Path
) -> None:
    config = make_config(evaluation={"metric": "tar_at_fmr.1e-4"})
    with pytest.raises(MetricMissingError, match=r"one of: auc, tar_at_fmr\.1e-2"):
        _train(tmp_path / "run", store, config)


def test_a_loss_that_is_no_number_ends_the_run(store: CropStore, tmp_path: Path) -> None:
    config = make_config(
        # The decay alone multiplies each weight by -999 a step.
        optimiser={"rate": 100.0, "weight_decay": 10.0, "warmup_steps": 0, "name": "sgd"},
        loss={"name": "softmax"},
        steps_per_epoch=100,
    )
    with pytest.raises(NotFiniteError, match=r"lower optimiser\.rate"):
        _train(tmp_path / "run", store, config)


def test_gradients_that_are_no_numbers_end_the_run_before_they_are_applied(
    store: CropStore, tmp_path: Path
) -> None:
    def spoil(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        if isinstance(module, nn.Linear) and output.requires_grad:
            output.register_hook(lambda gradient: gradient * torch.nan)  # type: ignore[no-untyped-call]

    config = make_config(optimiser={"clip_norm": 0})
    handle = register_module_forward_hook(spoil)
    try:
        with pytest.raises(NotFiniteError, match="norm of the gradients is nan at step 0"):
            _train(tmp_path / "run", store, config)
    finally:
        handle.remove()


def test_too_few_people_are_told(tmp_path: Path) -> None:
    few = make_store(tmp_path / "crops", people=2, photos=2)
    with pytest.raises(TooFewPeopleError, match=r"lower data\.choose"):
        _train(tmp_path / "run", few, make_config(data={"choose": 0.4, "test": 0}))


def test_a_damaged_checkpoint_is_told(store: CropStore, tmp_path: Path) -> None:
    run = _begin(tmp_path / "run", store, make_config())
    run.checkpoint.write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(RunUnusableError, match="begin the run anew"):
        train(make_config(), store, run, weights_dir=tmp_path)


def test_a_report_can_be_read_by_any_json(store: CropStore, tmp_path: Path) -> None:
    _train(tmp_path / "run", store, make_config(epochs=1))
    text = RunFolder(tmp_path / "run").report.read_text(encoding="utf-8")
    assert json.loads(text)["config"]["loss"]["name"] == "contrastive"
    assert "NaN" not in text
