"""The catalogue is complete, and a fetched network runs as its card says."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.cli.serve.start_checks import require_startable
from app.errors import NetworkNotFetched
from app.recognition.build import build_detector, known_networks, load_configured_network
from app.settings import DetectorSettings, Settings
from models.zoo.adding import require_free
from models.zoo.architectures import DLIB_INPUT, SFACE_INPUT
from models.zoo.catalogue.entry import FOLDER, CatalogueEntry, catalogue, find_entry
from models.zoo.catalogue.fetched import Receipt, file_of, list_fetched, write_receipt
from models.zoo.catalogue.load import spec_of
from models.zoo.detectors import yunet_weights
from models.zoo.errors import (
    NameTakenError,
    NotFetchedError,
    UnknownNetworkError,
    WeightsInvalidError,
)
from models.zoo.networks import sface_weights
from models.zoo.registered import networks_dir
from models.zoo.registry import SFACE, LoadOptions, find_spec, load_network
from models.zoo.weights.onnx_tensors import read_tensors
from tests.kit import photos
from tests.kit.catalogue_cards import HOST, card, catalogue_of, sha256

_MATRIX = np.random.default_rng(3).normal(size=(3, 8)).astype(np.float32)


def test_each_card_is_named_after_its_file_and_complete() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(catalogue())
    for entry in catalogue().values():
        assert entry.training_data
        assert entry.figures, entry.name
        assert entry.sha256 is not None or entry.recipe is not None, entry.name
        for source in entry.sources:
            assert (source.member is None) == (source.sha256 is None), entry.name


def test_each_network_is_in_the_page_for_users() -> None:
    page = (Path(__file__).parents[3] / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z0-9.-]+)`", row.split("|")[1])}
    assert named == set(catalogue())


def test_no_two_networks_are_the_same_file() -> None:
    digests = [entry.sha256 for entry in catalogue().values() if entry.sha256 is not None]
    assert len(digests) == len(set(digests))


def test_each_file_that_is_fetched_is_of_one_network() -> None:
    of_file: dict[str, set[str]] = {}
    for entry in catalogue().values():
        for source in entry.sources:
            if source.member is None:
                of_file.setdefault(source.file, set()).add(entry.name)
    assert all(len(names) == 1 for names in of_file.values())


def test_an_archive_has_one_size_and_digest_in_all_cards() -> None:
    pinned: dict[str, set[tuple[int | None, str | None]]] = {}
    for entry in catalogue().values():
        for source in entry.sources:
            pinned.setdefault(source.url, set()).add((source.bytes, source.sha256))
    assert all(len(pins) == 1 for pins in pinned.values())
    packs = {url.rpartition("/")[2] for url in pinned if url.endswith(".zip")}
    assert packs == {"buffalo_l.zip", "buffalo_s.zip", "buffalo_sc.zip", "antelopev2.zip"}


def test_colours_and_licences_are_those_of_the_publishers() -> None:
    entries = catalogue()
    bgr = {name for name, one in entries.items() if one.embedder and one.embedder.colours == "bgr"}
    assert bgr == {"adaface-ir18", "adaface-ir101"}
    free = {name for name, one in entries.items() if not one.needs_acceptance}
    assert free == {
        *("auraface-v1", "sface-float", "yunet-float", "yunet-2026may-float"),
        *("minifasnet-v1se", "minifasnet-v2"),
    }


def test_the_recipe_sees_what_the_network_that_it_began_with_sees() -> None:
    spec = find_spec("vultus-resnet", Path("nowhere"))
    assert spec is not None
    assert spec.input == DLIB_INPUT
    assert spec.mirror_average


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "detector"}, "a table"),
        ({"sources": []}, "sources, or else its recipe"),
        ({"recipe": "cook"}, "sources, or else its recipe"),
        ({"sha256": "12"}, "sha256"),
        ({"sources": [{"url": "http://plain.example/x"}]}, "url"),
        ({"sources": [{"url": f"{HOST}/x", "sha256": "0" * 64}]}, "belong to the card"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_incomplete_card_is_refused(change: dict[str, Any], why: str) -> None:
    whole = catalogue()["auraface-v1"].model_dump(mode="json", exclude_none=True)
    CatalogueEntry.model_validate(whole)
    with pytest.raises(ValueError, match=why):
        CatalogueEntry.model_validate(whole | change)


def _mean_colour_network() -> bytes:
    """A network that multiplies the mean colour of the crop with a matrix."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["crop"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["colour"]),
            helper.make_node("MatMul", ["colour", "matrix"], ["embedding"]),
        ],
        "embedder",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, ("n", 3, 112, 112))],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("n", 8))],
        [numpy_helper.from_array(_MATRIX, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    data: bytes = model.SerializeToString()
    return data


NETWORK = _mean_colour_network()
MEAN, STD = [10.0, 20.0, 30.0], [100.0, 50.0, 25.0]
SOURCES = [{"url": f"{HOST}/tiny.onnx"}]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """The folder of weights, with the network `tiny` fetched; `small` and `wide` are not."""
    weights_dir = tmp_path / "weights"
    made = (
        card("tiny", content=NETWORK, sources=SOURCES, mean=MEAN, std=STD, colours="bgr"),
        card("small", content=NETWORK[:-1], sources=SOURCES, commercial="no"),
        card("wide", content=NETWORK, sources=SOURCES, dimension=9),
    )
    with catalogue_of(tmp_path / "cards", *made):
        _put("tiny", NETWORK, weights_dir)
        yield weights_dir


def _put(name: str, content: bytes, weights_dir: Path) -> None:
    path = file_of(name, weights_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    write_receipt(
        Receipt(
            name=name,
            bytes=len(content),
            sha256=sha256(content),
            source="a test",
            fetched=datetime.now(UTC).isoformat(),
            license="a licence",
            license_url=HOST,
        ),
        weights_dir,
    )


def _options(weights_dir: Path) -> LoadOptions:
    return LoadOptions("cpu", half=False, weights_dir=weights_dir)


def test_a_fetched_network_runs_with_the_preprocessing_of_its_card(tiny: Path) -> None:
    network = load_network("tiny", _options(tiny))
    assert network.spec == find_spec("tiny", tiny)
    assert (network.spec.name, network.spec.license) == ("tiny", "a licence")
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    colour: NDArray[Any] = crops.reshape(2, -1, 3).astype(np.float64).mean(axis=1)[:, ::-1]
    expected = (colour - MEAN) / STD @ _MATRIX
    np.testing.assert_allclose(network.forward(crops), expected, atol=1e-3)


def test_a_network_that_is_not_fetched_names_what_is_missing(tiny: Path) -> None:
    with pytest.raises(NotFetchedError, match="small is in the catalogue") as raised:
        load_network("small", _options(tiny))
    assert raised.value.needs_acceptance
    with pytest.raises(NetworkNotFetched):
        load_configured_network(Settings(embedder="small", weights_dir=tiny, device="cpu"))
    with pytest.raises(UnknownNetworkError, match="tiny, and those of the catalogue"):
        load_network("nothing", _options(tiny))


def test_known_networks_are_those_that_are_here(tiny: Path) -> None:
    known = known_networks(tiny)
    assert ("tiny", 8) in [(one.name, one.dimension) for one in known]
    assert {"small", "wide"} & {one.name for one in known} == set()


def test_a_file_that_changed_after_the_fetch_is_not_run(tiny: Path) -> None:
    file_of("tiny", tiny).write_bytes(NETWORK + b"\0")
    with pytest.raises(WeightsInvalidError, match="not the file that was fetched"):
        load_network("tiny", _options(tiny))


def test_a_file_against_its_card_is_not_run(tiny: Path) -> None:
    _put("wide", NETWORK, tiny)
    with pytest.raises(WeightsInvalidError, match=r"dimension 8 and input .* expected 9"):
        load_network("wide", _options(tiny))


def test_a_file_of_another_digest_than_the_card_pins_counts_as_missing(tiny: Path) -> None:
    _put("small", NETWORK, tiny)
    assert [entry.name for entry in list_fetched(tiny)] == ["tiny"]


def test_a_damaged_receipt_is_an_error_that_names_it(tiny: Path) -> None:
    file_of("tiny", tiny).with_suffix(".json").write_text(json.dumps({"name": 3}))
    with pytest.raises(WeightsInvalidError, match=r"tiny\.json is no receipt"):
        load_network("tiny", _options(tiny))


def test_a_published_network_takes_no_other_file(tiny: Path, tmp_path: Path) -> None:
    options = LoadOptions("cpu", half=False, weights_dir=tiny, weights_path=tmp_path / "x")
    with pytest.raises(WeightsInvalidError, match="takes no other file"):
        load_network("tiny", options)


def test_trained_networks_leave_the_names_of_published_ones_free(tmp_path: Path) -> None:
    with pytest.raises(NameTakenError, match="of the catalogue"):
        require_free("auraface-v1", tmp_path)
    assert not networks_dir(tmp_path).exists()


def test_only_embedders_embed(tmp_path: Path) -> None:
    detector = find_entry("yunet-float")
    assert detector is not None
    assert spec_of(detector) is None
    with pytest.raises(UnknownNetworkError, match="of kind detector"):
        load_network("yunet-float", _options(tmp_path))


def _float_weights(quantized: bytes) -> bytes:
    """The published file of a network as its publishers have it in float: under the same names."""
    tensors = read_tensors(quantized)
    made: dict[str, NDArray[Any]] = {}
    for name, values in tensors.items():
        if name.endswith("_quantized"):
            plain = name.removesuffix("_quantized")
            scales, zeros = (
                _spread(tensors[f"{plain}_{part}"], values.shape[-1])
                for part in ("scales", "zero_point")
            )
            made[plain] = (np.asarray(values, dtype=np.float32) - zeros) * scales
        elif not name.endswith(("_scales", "_zero_point", "_shape")):
            made[name] = values
    graph = helper.make_graph(
        [helper.make_node("Identity", ["data"], ["same"])],
        "weights alone",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, (1, 3, 112, 112))],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, (1, 3, 112, 112))],
        [numpy_helper.from_array(np.ascontiguousarray(one), name) for name, one in made.items()],
    )
    data: bytes = helper.make_model(graph).SerializeToString()
    return data


def _spread(parts: NDArray[Any], length: int) -> NDArray[Any]:
    """One value for each of a row, of one for each block."""
    floats = np.asarray(parts, dtype=np.float32)
    return floats.repeat(length // floats.shape[-1], axis=-1) if floats.ndim else floats


def test_float_weights_of_sface_are_served_as_the_packaged_ones(tmp_path: Path) -> None:
    content = _float_weights(sface_weights.FILE.read())
    card_ = card(
        "floats",
        content=content,
        sources=SOURCES,
        dimension=128,
        mean=list(SFACE_INPUT.mean),
        std=list(SFACE_INPUT.std),
        architecture="sface",
    )
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    packaged = load_network("sface", _options(tmp_path))
    with catalogue_of(tmp_path / "cards", card_):
        _put("floats", content, tmp_path)
        floats = load_network("floats", _options(tmp_path))
    np.testing.assert_allclose(floats.forward(crops), packaged.forward(crops), atol=1e-4)
    assert (floats.digest, floats.runtime) == (sha256(content), packaged.runtime)
    assert floats.spec.input == SFACE_INPUT
    path = file_of("floats", tmp_path)
    published = card("sface-float", content=content, sources=SOURCES)
    with catalogue_of(tmp_path / "published", published):
        by_path = load_network("sface", replace(_options(tmp_path), weights_path=path))
    np.testing.assert_array_equal(by_path.forward(crops), floats.forward(crops))
    assert by_path.digest == floats.digest


def test_the_card_of_sface_is_that_of_the_network_that_reads_it() -> None:
    entry = catalogue()["sface-float"]
    spec = spec_of(entry)
    assert spec is not None
    assert (spec.input, spec.dimension, spec.mirror_average) == (
        SFACE.input,
        SFACE.dimension,
        SFACE.mirror_average,
    )
    assert {sface_weights.FILE.alternative, yunet_weights.FILE.alternative} <= set(catalogue())


def test_float_weights_of_yunet_find_the_same_faces(tmp_path: Path) -> None:
    content = _float_weights(yunet_weights.FILE.read())
    settings = Settings(device="cpu", weights_dir=tmp_path)
    detectors = [
        settings.model_copy(update={"detector": DetectorSettings(name=name)})
        for name in ("yunet", "yunet-float")
    ]
    with pytest.raises(NetworkNotFetched, match="yunet-float is in the catalogue"):
        build_detector(detectors[1])
    with pytest.raises(NetworkNotFetched):
        require_startable(detectors[1].model_copy(update={"data_dir": tmp_path}), "127.0.0.1", 0)
    made = card("yunet-float", content=content, sources=SOURCES)
    with catalogue_of(tmp_path / "cards", made):
        _put("yunet-float", content, tmp_path)
        photo = photos.pixels(photos.group())
        packaged, floats = (build_detector(one).detect(photo) for one in detectors)
    assert len(floats) == len(packaged) == 2
    for one, other in zip(floats, packaged, strict=True):
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.01)


def test_the_card_of_yunet_is_that_of_the_network_that_reads_it() -> None:
    read = catalogue()["yunet-float"].detector
    assert read is not None
    assert (read.mean, read.std, read.colours) == ((0.0,) * 3, (1.0,) * 3, "bgr")
    assert read.strides == yunet_weights.STRIDES
