"""A registered network is served under its name, by the file that its card was made for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.recognition.build import known_networks
from app.recognition.embedder import NetworkEmbedder
from models.training.data.crop_store import CropStore
from models.training.errors import RunUnusableError
from models.training.networks import build_network
from models.training.register import add_run
from models.training.results.compare_runs import compare_runs
from models.training.results.measure import embed
from models.training.results.run_folder import RunFolder, RunSource, begin_run
from models.training.trainer import train
from models.zoo.adding import Naming, add_weights
from models.zoo.architectures import Recipe
from models.zoo.errors import NameTakenError, UnknownNetworkError, WeightsInvalidError
from models.zoo.networks import dlib_weights
from models.zoo.registered import find_card
from models.zoo.registry import LoadOptions, load_network
from models.zoo.weights.module_weights import module_of
from models.zoo.weights.weights_file import read_weights, save_weights
from tests.models.training.crops import make_config, make_store

NAMING = Naming("ours-1", "for our door only", "our own people")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    return make_store(tmp_path_factory.mktemp("crops"), people=24)


@pytest.fixture(scope="module")
def runs(store: CropStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for name, changes in (
        ("first", {"network": {"mirror_average": True}}),
        ("second", {"network": {"mirror_average": True}, "loss": {"name": "softmax"}}),
    ):
        config = make_config(epochs=1, **changes)
        run = begin_run(folder / name, RunSource(config, store.folder))
        train(config, store, run, weights_dir=folder)
    return folder / "first", folder / "second"


def _options(folder: Path, **changes: Any) -> LoadOptions:
    return LoadOptions("cpu", half=False, weights_dir=folder, **changes)


def test_a_run_that_is_added_is_served_under_its_name(
    runs: tuple[Path, Path], store: CropStore, tmp_path: Path
) -> None:
    card = add_run(runs[0], NAMING, tmp_path)
    network = load_network("ours-1", _options(tmp_path))
    assert network.digest == card.digest == read_weights(RunFolder(runs[0]).weights).digest
    assert (network.spec.name, network.spec.dimension) == ("ours-1", 8)
    assert (network.spec.license, network.spec.description) == (NAMING.license, NAMING.description)
    assert network.spec.training_data.endswith(" people, given to this run")  # it began anew
    assert network.spec.input == store.input
    saved = read_weights(RunFolder(runs[0]).weights)
    assert saved.recipe is not None
    expected = embed(
        module_of(saved, saved.recipe),
        store,
        np.arange(9),
        store.input,
        mirror_average=True,
        device=torch.device("cpu"),
        batch_size=4,
    )
    found = NetworkEmbedder(network).embed([store.crop(number) for number in range(9)])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_card_tells_from_what_and_how_good(runs: tuple[Path, Path], tmp_path: Path) -> None:
    add_run(runs[0], NAMING, tmp_path)
    card = find_card("ours-1", tmp_path)
    assert card is not None
    assert card.loss["name"] == "contrastive"
    assert card.data["train"] == {"photos": 72, "people": 12}
    assert {"auc", "recall.1"} <= card.figures["test"].keys()
    spec = card.spec()
    if spec.calibration is not None:
        assert spec.calibration.embedder == "ours-1"
        assert spec.calibration.digest == card.digest


def test_registered_networks_are_listed_beside_the_zoo(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    add_run(runs[0], NAMING, tmp_path)
    known = known_networks(tmp_path)
    assert (known[-1].name, known[-1].dimension) == ("ours-1", 8)
    with pytest.raises(UnknownNetworkError, match=r"dlib-resnet.*ours-1"):
        load_network("ours-2", _options(tmp_path))


@pytest.mark.parametrize("name", ["dlib-resnet", "auto", "ours-1", "../x", "A", "", "a" * 64])
def test_a_name_that_is_taken_or_none_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    add_run(runs[0], NAMING, tmp_path)
    with pytest.raises(NameTakenError):
        add_run(runs[1], Naming(name, "any"), tmp_path)


def test_other_weights_under_the_name_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    add_run(runs[0], NAMING, tmp_path)
    path = tmp_path / "networks" / "ours-1.safetensors"
    other = build_network(make_config().network, weights_dir=tmp_path, seed=99)
    save_weights(path, other.module.state_dict(), other.recipe, mirror_average=True)
    with pytest.raises(WeightsInvalidError, match="SHA-256"):
        load_network("ours-1", _options(tmp_path))
    with pytest.raises(WeightsInvalidError, match="takes no other file"):
        load_network("ours-1", _options(tmp_path, weights_path=path))
    (tmp_path / "networks" / "ours-1.json").write_text("{}")
    with pytest.raises(WeightsInvalidError, match="add the network again"):
        load_network("ours-1", _options(tmp_path))


def test_distinctiveness_that_is_written_into_a_card_is_measured(
    runs: tuple[Path, Path], store: CropStore, tmp_path: Path
) -> None:
    add_run(runs[0], NAMING, tmp_path)
    assert NetworkEmbedder(load_network("ours-1", _options(tmp_path))).distinctiveness is None
    path = tmp_path / "networks" / "ours-1.json"
    card = json.loads(path.read_text())
    weights = [0.5, -1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]
    path.write_text(json.dumps({**card, "distinctiveness": {"weights": weights, "offset": 1.25}}))
    embedder = NetworkEmbedder(load_network("ours-1", _options(tmp_path)))
    assert embedder.distinctiveness is not None
    embeddings = embedder.embed([store.crop(0)])
    expected = float(embeddings[0] @ np.array(weights)) + 1.25
    assert embedder.distinctiveness.of(embeddings)[0] == pytest.approx(expected)
    path.write_text(json.dumps({**card, "distinctiveness": {"weights": [1.0], "offset": 0.0}}))
    with pytest.raises(WeightsInvalidError, match="must have 8 weights"):
        load_network("ours-1", _options(tmp_path))


@pytest.mark.parametrize(
    ("name", "other"),
    [("mirror_average", False), ("recipe.size_px", 20), ("input.mean", [0, 0, 0])],
)
def test_a_card_that_tells_otherwise_than_its_weights_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, name: str, other: object
) -> None:
    add_run(runs[0], NAMING, tmp_path)
    path = tmp_path / "networks" / "ours-1.json"
    card = json.loads(path.read_text())
    *groups, last = name.split(".")
    group = card[groups[0]] if groups else card
    assert last in group
    group[last] = other
    path.write_text(json.dumps(card))
    with pytest.raises(WeightsInvalidError, match="than its weights do"):
        load_network("ours-1", _options(tmp_path))


def test_a_run_that_has_not_finished_is_not_added(store: CropStore, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", RunSource(make_config(), store.folder))
    with pytest.raises(RunUnusableError, match="no finished run"):
        add_run(run.path, NAMING, tmp_path)
    assert find_card("ours-1", tmp_path) is None


def test_a_file_is_added_by_what_it_says_or_by_what_is_said(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    card = add_weights(RunFolder(runs[0]).weights, NAMING, tmp_path)
    assert card.mirror_average
    assert load_network("ours-1", _options(tmp_path)).spec.dimension == 8
    plain = tmp_path / "dlib.pt"
    torch.save(dict(dlib_weights.load()[0].module().state_dict()), plain)
    with pytest.raises(WeightsInvalidError, match="does not name the network"):
        add_weights(plain, Naming("dlib-again", "CC0"), tmp_path)
    recipe = Recipe("dlib-resnet", 150, 128, 128)
    add_weights(plain, Naming("dlib-again", "CC0"), tmp_path, recipe=recipe)
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    again = load_network("dlib-again", _options(tmp_path, backend="onnxruntime"))
    assert again.runtime == "onnxruntime"
    original = load_network("dlib-resnet", _options(tmp_path))
    np.testing.assert_allclose(again.forward(crops), original.forward(crops), atol=1e-4)


def test_runs_are_compared_by_what_differs(runs: tuple[Path, Path]) -> None:
    found = compare_runs(runs)
    assert found.same_people
    assert [dict(run.choices) for run in found.runs] == [
        {"loss.name": "contrastive"},
        {"loss.name": "softmax"},
    ]
    assert all("auc" in run.test for run in found.runs)
    told: Mapping[str, Any] = found.to_json()
    assert list(told["runs"]) == ["first", "second"]
