"""`vultus models add` makes an .onnx file an embedder, with how its crops are prepared."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.cli.remedies import TERMINAL
from app.errors import EmbedderChanged, NetworkNotAdded, StartupError
from app.recognition.build import load_configured_network
from app.settings import Settings
from models.zoo.errors import WeightsInvalidError
from models.zoo.registered import networks_dir
from models.zoo.registry import LoadOptions, load_network
from tests.kit import photos

RUN = CliRunner()
OLD_GALLERY = Path(__file__).parents[2] / "cases/onnx-gallery-0.1.0.zip"
"""A database of two people, and the network that version 0.1.0 enrolled them with by the settings
VULTUS_ONNX__CHANNELS=bgr, VULTUS_ONNX__MEAN=[100,110,120] and VULTUS_ONNX__MIRROR_AVERAGE=true."""
AS_THEN = ("--channels", "bgr", "--mean", "100,110,120", "--mirror-average")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VULTUS_DEVICE", "cpu")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def network(data_dir: Path) -> Path:
    """The network of the old gallery, whose database lies in the data folder."""
    with zipfile.ZipFile(OLD_GALLERY) as archive:
        archive.extractall(data_dir)
    return data_dir / "net.onnx"


def _add(network: Path, name: str, *options: str) -> dict[str, Any]:
    arguments = ["models", "add", str(network), "--name", name, "--license", "ours", *options]
    done = RUN.invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    card: dict[str, Any] = json.loads(done.stdout)
    return card


def _identify(tmp_path: Path) -> Result:
    photo = tmp_path / "grace.jpg"
    photo.write_bytes(photos.encoded(photos.hopper()))
    return RUN.invoke(cli, ["identify", str(photo), "--threshold", "0.9", "--json"])


def test_an_onnx_gallery_of_an_older_version_goes_on_once_its_file_is_added(
    network: Path, tmp_path: Path
) -> None:
    missing = _identify(tmp_path).exception
    assert isinstance(missing, NetworkNotAdded)
    remedy = TERMINAL.detail(missing)
    assert "vultus models add FILE --name onnx" in remedy
    assert "VULTUS_WEIGHTS_PATH" in remedy
    assert _add(network, "onnx", *AS_THEN)["license"] == "ours"
    network.unlink()  # the card has a copy
    done = _identify(tmp_path)
    assert done.exit_code == 0, (done.output, done.exception)
    (face,) = json.loads(done.stdout)["faces"]
    assert (face["status"], face["identity"]["name"]) == ("match", "Grace")
    assert face["similarity"] > 0.999


def test_an_onnx_gallery_refuses_its_file_prepared_in_another_way(
    network: Path, tmp_path: Path
) -> None:
    _add(network, "onnx", "--channels", "rgb", *AS_THEN[2:])
    assert isinstance(_identify(tmp_path).exception, EmbedderChanged)


def test_a_card_serves_what_was_added(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = _add(network, "ours", "--std", "[58, 57, 57.5]", "--description", "a trial")
    monkeypatch.setenv("VULTUS_EMBEDDER", "ours")
    served = load_configured_network(Settings())
    assert served.digest == card["digest"]
    assert (served.spec.name, served.spec.dimension) == ("ours", 147)
    assert served.spec.description == "a trial"
    assert (served.spec.input.mean, served.spec.input.std) == ((127.5,) * 3, (58.0, 57.0, 57.5))
    assert served.spec.mirror_average is False
    listed = json.loads(RUN.invoke(cli, ["models", "list", "--json"]).stdout)["models"]
    assert (listed[-1]["name"], listed[-1]["dimension"], listed[-1]["active"]) == (
        *("ours", 147),
        True,
    )


def test_every_option_that_changes_embeddings_changes_the_digest(network: Path) -> None:
    options: list[tuple[str, ...]] = [
        (),
        ("--mean", "0"),
        ("--std", "128"),
        ("--channels", "bgr"),
        ("--mirror-average",),
        ("--template", "facenet"),
    ]
    cards = [_add(network, f"net-{place}", *chosen) for place, chosen in enumerate(options)]
    assert len({card["digest"] for card in cards}) == len(options)


def test_a_card_that_was_changed_is_refused(network: Path, data_dir: Path) -> None:
    _add(network, "ours")
    path = networks_dir(data_dir / "weights") / "ours.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(card | {"mirror_average": True}), encoding="utf-8")
    with pytest.raises(WeightsInvalidError, match="the card was changed"):
        load_network("ours", LoadOptions("cpu", False, weights_dir=data_dir / "weights"))


def test_weights_beside_the_file_come_along(tmp_path: Path, data_dir: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    nodes = [
        helper.make_node("GlobalAveragePool", ["crop"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["colour"]),
        helper.make_node("MatMul", ["colour", "matrix"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    source = tmp_path / "source"
    source.mkdir()
    onnx.save(
        model,
        source / "net.onnx",
        save_as_external_data=True,
        location="net.weights",
        size_threshold=0,
    )
    card = _add(source / "net.onnx", "ours")
    for file in source.iterdir():
        file.unlink()
    weights_dir = data_dir / "weights"
    loaded = load_network("ours", LoadOptions("cpu", False, weights_dir=weights_dir))
    assert loaded.digest == card["digest"]
    crops = np.full((2, 112, 112, 3), 255, dtype=np.uint8)
    np.testing.assert_allclose(loaded.forward(crops), np.ones((2, 3)) @ matrix, atol=1e-5)
    (networks_dir(weights_dir) / "ours" / "net.weights").write_bytes(bytes(60))
    with pytest.raises(WeightsInvalidError):
        load_network("ours", LoadOptions("cpu", False, weights_dir=weights_dir))


def test_weights_of_an_unnamed_network_are_refused_with_the_option_that_names_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "network.safetensors"
    save_file({"weight": np.zeros(1, dtype=np.float32)}, file)
    done = RUN.invoke(cli, ["models", "add", str(file), "--name", "ours", "--license", "ours"])
    assert isinstance(done.exception, StartupError)
    assert "does not name the network of its weights; name it with --network" in str(done.exception)


@pytest.mark.parametrize(
    ("file", "options", "fact"),
    [
        ("net.onnx", ("--network", "sface"), "not for .onnx files"),
        ("net.onnx", ("--mean", "1,2"), "--mean takes one number or three"),
        ("net.onnx", ("--std", "0"), "std not zero"),
        ("net.onnx", ("--size-px", "96"), "112 px, not of 96"),
        ("vultus.db", ("--channels", "bgr"), "are for .onnx files"),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(
    file: str, options: tuple[str, ...], fact: str, network: Path, data_dir: Path
) -> None:
    source = str(network.parent / file)
    arguments = ["models", "add", source, "--name", "ours", "--license", "ours", *options]
    done = RUN.invoke(cli, arguments)
    assert done.exit_code != 0
    shown = " ".join(done.stderr.replace("│", " ").split())
    assert fact in shown or fact in str(done.exception), shown
    assert not (networks_dir(data_dir / "weights") / "ours.json").exists()
