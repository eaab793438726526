"""A network that no longer ships is one to add: from its file of before, with what was measured."""

import json
from pathlib import Path

import pytest

from app.cli.remedies import TERMINAL
from app.cli.serve.start_checks import require_startable
from app.errors import NetworkNotMade
from app.recognition.build import load_named_network
from app.recognition.types import ModelId
from app.services.known_thresholds import known_map
from app.settings import Settings
from models.zoo.adding import Naming, add_weights
from models.zoo.cards import read_card
from models.zoo.catalogue.entry import find_entry
from models.zoo.networks import dlib_weights
from models.zoo.registry import ZOO, LoadOptions, find_spec, load_network
from models.zoo.weights import shipped_files
from models.zoo.weights.weights_file import save_weights

NAME = "vultus-resnet"
DIGEST = "e99b94b270180f75278124f72ee894646be0a3207fea77fb46d0c55cd849fa37"
NAMING = Naming(NAME, "for research")


def _write_card(path: Path, digest: str) -> None:
    """The card of `vultus-resnet`, as if it were made for the file of this SHA-256."""
    card = json.loads((shipped_files.RECIPES / f"{NAME}.json").read_text(encoding="utf-8"))
    card["digest"] = card["calibration"]["digest"] = digest
    path.write_text(json.dumps(card), encoding="utf-8")


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, str]:
    """A file of weights as an older installation has it, and its SHA-256: `dlib-resnet`, halved."""
    recipe = read_card(shipped_files.RECIPES / f"{NAME}.json").recipe
    assert recipe is not None
    assert recipe.architecture == "dlib-resnet"
    state = dlib_weights.load()[0].module().state_dict()
    path = tmp_path / "old" / f"{NAME}.safetensors"
    path.parent.mkdir()
    halved = {name: tensor.half() for name, tensor in state.items()}
    return path, save_weights(path, halved, recipe, mirror_average=True)


def test_the_card_tells_of_which_file_and_what_was_measured() -> None:
    card = read_card(shipped_files.RECIPES / f"{NAME}.json")
    assert card.digest == shipped_files.recipe_digest(NAME) == DIGEST
    entry = find_entry(NAME)
    assert entry is not None
    assert (entry.sha256, entry.sources) == (DIGEST, ())
    assert set(card.figures) == {"test", "test_before"}
    calibration = card.spec().calibration
    assert calibration is not None
    assert (calibration.embedder, calibration.digest) == (NAME, card.digest)
    assert "tuned on other people" in calibration.source
    assert card.spec().distinctiveness is not None
    assert "Labeled Faces in the Wild" in card.license


def test_it_is_not_installed_and_the_errors_say_how_to_go_on(tmp_path: Path) -> None:
    assert NAME not in ZOO
    settings = Settings(embedder=NAME, device="cpu", data_dir=tmp_path)
    for start in (
        lambda: require_startable(settings, "127.0.0.1", 0),
        lambda: load_named_network(settings, NAME, None),
    ):
        with pytest.raises(NetworkNotMade) as caught:
            start()
        told = TERMINAL.detail(caught.value)
        for part in (DIGEST, f"models add FILE --name {NAME}", "vultus reembed --to", f"{NAME}.md"):
            assert part in told


def test_its_file_of_before_is_accepted_with_what_was_measured(
    kept: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, digest = kept
    folder = tmp_path / "recipes"
    folder.mkdir()
    _write_card(folder / f"{NAME}.json", digest)
    monkeypatch.setattr(shipped_files, "RECIPES", folder)
    settings = Settings(device="cpu", data_dir=tmp_path)
    card = add_weights(file, NAMING, settings.resolved_weights_dir)
    assert (card.name, card.digest, card.license) == (NAME, digest, NAMING.license)
    network = load_network(
        NAME, LoadOptions("cpu", False, weights_dir=settings.resolved_weights_dir)
    )
    assert network.digest == digest
    assert network.spec.distinctiveness is not None
    measured = known_map(settings, ModelId(NAME, digest, network.spec.dimension))
    assert measured is not None
    assert "tuned on other people" in measured.source


def test_a_card_beside_the_file_counts_where_it_was_made_for_it(
    kept: tuple[Path, str], tmp_path: Path
) -> None:
    """As `scripts.make_vultus_resnet` writes both for whoever makes the network again."""
    file, digest = kept
    _write_card(file.with_suffix(".json"), digest)
    add_weights(file, Naming("again", "for research"), tmp_path)
    spec = find_spec("again", tmp_path)
    assert spec is not None
    assert spec.calibration is not None
    assert (spec.calibration.embedder, spec.calibration.digest) == ("again", digest)
    _write_card(file.with_suffix(".json"), "0" * 64)
    add_weights(file, Naming("other", "for research"), tmp_path)
    spec = find_spec("other", tmp_path)
    assert spec is not None
    assert spec.calibration is None
