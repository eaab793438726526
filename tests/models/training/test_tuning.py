"""Fine-tuning learns on kept features what it would on photos, and gives no more than it says."""

import re
from collections.abc import Mapping
from math import exp, log
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.training.config import AugmentOptions, config_from
from models.training.data.augment import Augmenter
from models.training.data.crop_store import CropStore
from models.training.data.split import Split
from models.training.errors import ConfigInvalidError, NotFiniteError, TooFewPeopleError
from models.training.networks import TrainableNetwork, build_network
from models.training.register import add_run
from models.training.results.measure import embed, figures
from models.training.results.run_folder import RunFolder, RunSource, begin_run
from models.training.steps.bank import WholeBank
from models.training.trainer import train
from models.training.tuning.average import mean_state, moved_back
from models.training.tuning.features import compute_features
from models.training.tuning.look_alikes import LookAlikes
from models.training.tuning.tune import tune
from models.training.tuning.tuning_config import TunedDataOptions, TunedLossOptions, TuningConfig
from models.training.tuning.weighted_threshold import WeightedThreshold
from models.training.watch import Watch
from models.zoo.adding import Naming
from models.zoo.networks import sface_weights
from models.zoo.networks.mobilefacenet import MobileFaceNet
from models.zoo.registry import SFACE, LoadOptions, load_network
from models.zoo.weights.module_weights import fill, module_of
from models.zoo.weights.weights_file import read_weights
from tests.models.training.crops import SIDE, make_config, make_store

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    return make_store(tmp_path_factory.mktemp("crops"), people=24)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights to begin with, of a network that has seen four of the people."""
    folder = tmp_path_factory.mktemp("begun")
    source = make_store(folder / "crops", people=4)
    config = make_config(
        epochs=10,
        data={"choose": 0.0, "test": 0.0},
        network={"name": "mobilefacenet", "dimension": 16},
        optimiser={"rate": 3e-3},
    )
    train(
        config,
        source,
        begin_run(folder / "run", RunSource(config, source.folder)),
        weights_dir=folder,
    )
    return RunFolder(folder / "run").weights


class _Silent(Watch):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[Mapping[str, Any]] = []
        self.best: list[bool] = []
        self.copies = 0
        self.losses: list[float] = []

    def began(self, **_: int) -> None: ...

    def computed(self, copies: int) -> None:
        self.copies += copies

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        assert rate > 0
        self.losses.append(loss)
        assert step == len(self.losses)

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        self.lines.append(line)
        self.best.append(is_best)


def _config(**changes: Any) -> TuningConfig:
    content: dict[str, Any] = {
        "seed": 3,
        "runs": 2,
        "steps": 30,
        "threads": 1,
        "data": {"groups": 3, "people": 6, "copies": 3, "choose": 0.25, "test": 0.25},
        "network": {
            "name": "mobilefacenet",
            "weights": "scratch",
            "size_px": SIDE,
            "frozen_parts": 2,
            "dimension": 16,
            "mirror_average": False,
        },
        "loss": {"scale": 20.0, "fmr": 0.05, "negative_weight": 1.0, "bank_copies": 2},
        "optimiser": {"rate": 1e-3},
        "evaluation": {"metric": "auc"},
    }
    for name, change in changes.items():
        before = content.get(name, {})
        content[name] = {**before, **change} if isinstance(change, dict) else change
    return config_from(TuningConfig, content)


def _network(config: TuningConfig) -> TrainableNetwork:
    return build_network(config.network, weights_dir=Path(), seed=config.seed)


def _whole_people(store: CropStore, *, train: int, choose: int, test: int) -> Split:
    """So many of the first people, of those after them, and of those after these."""
    ends = np.cumsum([train, choose, test])
    group = np.searchsorted(ends, store.labels, side="right")
    return Split(*(np.flatnonzero(group == number) for number in range(3)))


def _auc(network: TrainableNetwork, store: CropStore, numbers: NDArray[np.int64]) -> float:
    rows = embed(
        network.module,
        store,
        numbers,
        network.recipe.input,
        mirror_average=False,
        device=torch.device("cpu"),
        batch_size=64,
    )
    return figures(rows, store.labels[numbers], seed=0, nmi=False)["auc"]


def _tune(path: Path, store: CropStore, config: TuningConfig, **more: Any) -> Mapping[str, Any]:
    path.mkdir()
    watch = _Silent()
    report = tune(config, store, RunFolder(path), weights_dir=path, watch=watch, **more)
    best = 0.0
    for line, is_best in zip(watch.lines, watch.best, strict=True):
        auc = line.get("auc", np.inf)  # without people to choose by, the last network is taken
        assert is_best == (auc > best or auc == np.inf)
        best = max(best, auc)
    return report


def test_it_learns_to_tell_its_people_apart(store: CropStore, begun: Path, tmp_path: Path) -> None:
    watch = _Silent()
    split = _whole_people(store, train=16, choose=0, test=8)
    config = _config(network={"weights": str(begun)}, back=[0.0])
    report = tune(
        config, store, RunFolder(tmp_path), weights_dir=tmp_path, watch=watch, split=split
    )
    network = _network(config)
    before = _auc(network, store, split.train)
    fill(network.module, read_weights(RunFolder(tmp_path).weights).state, "mobilefacenet")
    assert _auc(network, store, split.train) > before + 0.04
    assert sum(watch.losses[25:30]) < 0.9 * sum(watch.losses[:5])
    assert watch.copies == 3 * report["data"]["train"]["photos"] == 3 * 16 * 6
    assert len(watch.losses) == 2 * 30
    assert not (tmp_path / "features.npy").exists()  # faces can be guessed from it


def test_sface_is_tuned_from_its_published_weights_and_served(tmp_path: Path) -> None:
    store = make_store(tmp_path / "crops", people=8, photos=2, spec=SFACE.input)
    config = _config(
        runs=1,
        steps=3,
        back=[0.0],
        data={"people": 4, "copies": 2, "groups": 2, "choose": 0.0, "test": 0.5},
        optimiser={"rate": 0.01},
        network={
            "name": "sface",
            "weights": "auto",
            "size_px": None,
            "dimension": None,
            "frozen_parts": 12,
        },
    )
    run = tmp_path / "run"
    _tune(run, store, config)
    published = sface_weights.load()[0].module()
    tuned = read_weights(RunFolder(run).weights)
    kept = {
        key for key, value in published.state_dict().items() if torch.equal(value, tuned.state[key])
    }
    frozen = ("stem.", *(f"blocks.{number}." for number in range(11)))
    assert kept == {key for key in tuned.state if key.startswith(frozen)}
    card = add_run(run, Naming("ours", "ours"), tmp_path)
    assert "may hold people of LFW" in card.training_data
    served = load_network("ours", LoadOptions("cpu", True, weights_dir=tmp_path, backend="auto"))
    assert (served.runtime, served.digest) == ("openvino", card.digest)


def test_the_best_way_back_is_kept(store: CropStore, begun: Path, tmp_path: Path) -> None:
    config = _config(network={"weights": str(begun)}, steps=5)
    report = _tune(tmp_path / "run", store, config)
    lines = report["history"]
    assert [line["back"] for line in lines] == [1.0, 0.0, 0.25, 0.5]
    assert report["best"]["auc"] == max(line["auc"] for line in lines)


def test_what_it_leaves_becomes_an_embedder(store: CropStore, tmp_path: Path) -> None:
    report = _tune(tmp_path / "run", store, _config(steps=2, back=0.25))
    card = add_run(tmp_path / "run", Naming("tuned", "ours"), tmp_path)
    assert card.digest == report["digest"]
    served = load_network("tuned", LoadOptions(device="cpu", half=False, weights_dir=tmp_path))
    assert served.spec.dimension == 16


def test_one_seed_gives_one_network(store: CropStore, tmp_path: Path) -> None:
    few = _config(steps=3, runs=1, back=[0.0], data={"choose": 0.0})
    first = _tune(tmp_path / "1", store, few)
    again = _tune(tmp_path / "2", store, few)
    other = _tune(tmp_path / "3", store, few.model_copy(update={"steps": 4}))
    assert first["digest"] == again["digest"] != other["digest"]


def test_the_first_parts_stay_as_they_are(store: CropStore, tmp_path: Path) -> None:
    config = _config(steps=3, runs=1, back=[0.0], data={"choose": 0.0})
    _tune(tmp_path / "run", store, config)
    before = _network(config).module.state_dict()
    after = read_weights(RunFolder(tmp_path / "run").weights).state
    frozen = [name for name in after if name.startswith(("stem.", "stages.0."))]
    assert len(frozen) > 10
    assert all(torch.equal(after[name], before[name]) for name in frozen)
    assert not torch.equal(after["project.weight"], before["project.weight"])


def test_people_can_be_shared_out_by_the_caller(store: CropStore, tmp_path: Path) -> None:
    split = _whole_people(store, train=12, choose=6, test=6)
    report = _tune(tmp_path / "run", store, _config(steps=2), split=split)
    assert {name: report["data"][name]["people"] for name in ("train", "choose", "test")} == {
        "train": 12,
        "choose": 6,
        "test": 6,
    }


def test_kept_features_end_in_the_embeddings_of_the_crops(store: CropStore, tmp_path: Path) -> None:
    config = _config()
    network = _network(config)
    network.module.eval()
    numbers = np.arange(0, 30, 7)
    features = compute_features(
        network,
        2,
        store,
        numbers,
        copies=3,
        augment=Augmenter(AugmentOptions(), seed=1),
        file=tmp_path / "features.npy",
        device=torch.device("cpu"),
        batch_size=3,
        progress=lambda _: None,
    )
    assert (tmp_path / "features.npy").stat().st_mode & 0o077 == 0
    divisible = network.module
    assert isinstance(divisible, MobileFaceNet)
    with torch.inference_mode():
        plain, mirrored = (
            divisible.finish(torch.from_numpy(rows).float(), 2) for rows in features[:2]
        )
    whole = embed(
        network.module,
        store,
        numbers,
        network.recipe.input,
        mirror_average=True,
        device=torch.device("cpu"),
        batch_size=8,
    )
    assert np.allclose(functional.normalize(plain + mirrored), whole, atol=0.01)
    assert not np.array_equal(features[2], features[0])


def test_what_half_precision_cannot_hold_is_told(store: CropStore, tmp_path: Path) -> None:
    config = _config()
    network = _network(config)
    with torch.no_grad():
        for parameter in network.module.get_submodule("stages.0").parameters():
            parameter.mul_(1e6)
    with pytest.raises(NotFiniteError, match=r"network\.frozen_parts"):
        compute_features(
            network,
            2,
            store,
            np.arange(3),
            copies=2,
            augment=Augmenter(AugmentOptions(), seed=1),
            file=tmp_path / "features.npy",
            device=torch.device("cpu"),
            batch_size=3,
            progress=lambda _: None,
        )


def test_the_loss_is_that_of_a_naive_loop() -> None:
    draw = torch.Generator().manual_seed(4)
    kept = functional.normalize(torch.randn(2, 7, 5, generator=draw), dim=2)
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 3])
    bank = WholeBank(kept, labels)
    options = TunedLossOptions(scale=12.0, negative_weight=30.0, fmr=0.1)
    loss = WeightedThreshold(options, bank)
    t = float(loss.threshold.detach())
    places = torch.tensor([1, 2, 5])
    embeddings = functional.normalize(torch.randn(3, 5, generator=draw))
    of_one, of_two = [], []  # the first by rows of the batch
    for row, place in zip(embeddings.tolist(), places.tolist(), strict=True):
        own = []
        for copy in kept.tolist():
            for other, there in enumerate(copy):
                cosine = sum(a * b for a, b in zip(row, there, strict=True))
                if labels[other] != labels[place]:
                    of_two.append(log(1 + exp(12 * (cosine - t))) / 12)
                elif other != place:
                    own.append(log(1 + exp(12 * (t - cosine))) / 12)
        if own:
            of_one.append(own)
    naive = mean(map(mean, of_one)) + 30 * mean(of_two)
    found = loss(embeddings, labels[places], places, bank)
    assert float(found.detach()) == pytest.approx(naive, rel=1e-5)


def test_the_threshold_begins_at_the_rate_that_is_asked_for() -> None:
    kept = functional.normalize(torch.randn(1, 60, 8, generator=torch.Generator().manual_seed(5)))
    bank = WholeBank(functional.normalize(kept, dim=2), torch.arange(60) // 2)
    threshold = float(WeightedThreshold(TunedLossOptions(fmr=0.1), bank).threshold.detach())
    similarity = (bank.rows() @ bank.rows().T)[bank.labels[:, None] != bank.labels[None]]
    assert float((similarity > threshold).float().mean()) == pytest.approx(0.1, abs=0.005)


def test_a_bank_takes_what_a_batch_has_become() -> None:
    bank = WholeBank(torch.zeros(2, 4, 3), torch.tensor([0, 0, 1, 1]))
    bank.put(
        np.array([0, 1, 2]), np.array([3, 1, 0]), torch.tensor([[1.0] * 3, [2.0] * 3, [9.0] * 3])
    )
    rows = bank.rows().reshape(2, 4, 3)[:, :, 0]
    assert rows.tolist() == [[0, 0, 0, 1], [0, 2, 0, 0]]  # of copies that it has


def test_batches_are_people_who_look_alike() -> None:
    angles = np.linspace(0, np.pi, 20)
    labels = np.repeat(np.arange(20), 3)
    options = TunedDataOptions(groups=1, people=4, examples=2)
    batches = LookAlikes(labels, options)
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)[labels][None]
    centres = batches.centres(embeddings.astype(np.float32))
    assert np.allclose(centres, embeddings[0, ::3], atol=1e-6)
    met = set()
    for number in range(100):
        places = batches.draw(centres, np.random.default_rng(number))
        people, counts = np.unique(labels[places], return_counts=True)
        assert len(people) == 4
        assert (counts == 2).all()
        assert np.ptp(people) <= 7  # of twice as many of the nearest, on either side or at an end
        met |= set(people)
    assert met == set(range(20))


def test_fewer_people_than_a_group_make_one_of_all() -> None:
    labels = np.array([0, 0, 0, 1, 2])
    batches = LookAlikes(labels, TunedDataOptions())
    centres = batches.centres(np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32))
    places = batches.draw(centres, np.random.default_rng(1))
    assert set(labels[places]) == {0, 1, 2}
    assert len(set(places)) == len(places)


def test_a_mean_is_a_mean_and_moves_back() -> None:
    states = [
        {"w": torch.tensor([1.0, 4.0]), "count": torch.tensor(3)},
        {"w": torch.tensor([3.0, 0.0]), "count": torch.tensor(5)},
    ]
    found = mean_state(states)
    assert found["w"].tolist() == [2.0, 2.0]
    assert int(found["count"]) == 3
    before = {"w": torch.tensor([0.0, 2.0]), "count": torch.tensor(0)}
    assert moved_back(found, before, 0.0)["w"].tolist() == [2.0, 2.0]
    assert moved_back(found, before, 0.25)["w"].tolist() == [1.5, 2.0]
    assert torch.equal(states[0]["w"], torch.tensor([1.0, 4.0]))


def test_a_mean_of_one_run_is_that_run(store: CropStore, tmp_path: Path) -> None:
    config = _config(steps=2, runs=1, back=[0.0], data={"choose": 0.0})
    report = _tune(tmp_path / "run", store, config)
    saved = read_weights(RunFolder(tmp_path / "run").weights)
    assert saved.recipe is not None
    module_of(saved, saved.recipe)
    assert report["best"]["back"] == 0.0


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"network": {"name": "small-cnn", "frozen_parts": 1}}, "cannot be run in two pieces"),
        ({"network": {"frozen_parts": 9}}, "has 6 parts"),
    ],
)
def test_what_cannot_be_tuned_is_told(
    store: CropStore, tmp_path: Path, changes: dict[str, Any], fact: str
) -> None:
    with pytest.raises(ConfigInvalidError, match=fact):
        _tune(tmp_path / "run", store, _config(**changes))


def test_two_people_are_the_fewest(tmp_path: Path) -> None:
    store = make_store(tmp_path / "crops", people=2)
    with pytest.raises(TooFewPeopleError):
        _tune(tmp_path / "run", store, _config(data={"test": 0.5}))


def test_every_option_is_in_its_table_and_no_other() -> None:
    page = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| `([^|]*)` \|", page, flags=re.MULTILINE))
    options = {name: default for name, default, _ in TuningConfig.options()}
    assert told == {name: text for name, text in options.items() if not _in_training(name)}


def _in_training(name: str) -> bool:
    """Those that docs/training.md explains: what they mean is the same."""
    return name.startswith(("data.augment.", "evaluation.")) and name != "evaluation.metric"
