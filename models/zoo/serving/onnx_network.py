"""Embedding networks in .onnx files, the format in which ArcFace and AdaFace are published."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.files import file_sha256
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.names import Colours, TemplateName, Triple
from models.zoo.network import Crops, Embeddings, InputSpec, NetworkSpec, as_input
from models.zoo.serving.backends import Backend, choose_backend, missing_packages
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.graph_network import GraphSession
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import open_graph
from models.zoo.templates import arcface_template, scaled_template

_DEFAULT_SIZE_PX = 112
_DEFAULT_MEAN = (127.5, 127.5, 127.5)
_DEFAULT_STD = (127.5, 127.5, 127.5)


@dataclass(frozen=True, slots=True)
class OnnxOptions:
    """The preparation of crops; None is the value in the file, or else the default.

    `size_px`: side of the crop in pixels, 112 by default. `mean` and `std`: in units of a pixel (0
    to 255), 127.5 by default, one value for each channel in the order of `colours`, which is rgb
    for ArcFace and most others and bgr for AdaFace. `template`: positions of landmarks in the crop.
    """

    size_px: int | None = None
    mean: Triple | None = None
    std: Triple | None = None
    colours: Colours = "rgb"
    mirror_average: bool = False
    template: TemplateName = "arcface"


class OnnxNetwork:
    """A network in an .onnx file.

    The graph takes float32 crops as (N, 3, H, W) or (N, H, W, 3); its first output is
    (N, dimension). The graph determines the crop size. `mean` and `std` come from metadata entries
    of these names (JSON lists of three numbers), else from the options, else they are 127.5.

    Raises WeightsMissingError without the file or the runtime, WeightsInvalidError when the graph
    is not such a network.
    """

    def __init__(self, path: Path, options: OnnxOptions, run: RunOptions) -> None:
        self._session = _open(path, run)
        self.device = self._session.device
        self.runtime = self._session.runtime
        self.precision = self._session.precision
        shape = self._session.input_shape
        self._channels_first, graph_size = _layout(path, shape)
        self._one_at_a_time = shape[0] == 1
        spec_input = self._input_spec(path, options, graph_size)
        open_size = spec_input.size_px if graph_size is None else None
        self.digest = _digest(path, spec_input, options, open_size=open_size)
        self._prepare = partial(
            as_input, mean=spec_input.mean, std=spec_input.std, colours=options.colours
        )
        blank = np.zeros((1, spec_input.size_px, spec_input.size_px, 3), dtype=np.uint8)
        self.spec = NetworkSpec(
            name="onnx",
            dimension=self._checked_run(path, blank).shape[1],
            input=spec_input,
            mirror_average=options.mirror_average,
            description=f"ONNX network {path.name}",
            license="that of the file you supplied",
        )

    def forward(self, crops: Crops) -> Embeddings:
        if self._one_at_a_time:
            return np.concatenate([self._run(crop[None]) for crop in crops])
        return self._run(crops)

    def _run(self, crops: Crops) -> Embeddings:
        x = self._prepare(crops)
        return self._session.run(
            np.ascontiguousarray(x.transpose(0, 3, 1, 2) if self._channels_first else x)
        )

    def _checked_run(self, path: Path, crops: Crops) -> Embeddings:
        try:
            rows = self._run(crops)
        except Exception as error:
            raise WeightsInvalidError(f"{path} does not run on a crop: {error}") from error
        if rows.ndim != 2 or rows.shape[0] != 1:
            raise WeightsInvalidError(
                f"{path} answers shape {rows.shape} for one crop; an embedding network answers "
                "(1, dimension)"
            )
        return rows

    def _input_spec(self, path: Path, options: OnnxOptions, graph_size: int | None) -> InputSpec:
        if graph_size and options.size_px and graph_size != options.size_px:
            raise WeightsInvalidError(
                f"{path} takes crops of {graph_size} px, not of {options.size_px}"
            )
        size_px = graph_size or options.size_px or _DEFAULT_SIZE_PX
        metadata = self._session.metadata
        mean = _triple(path, metadata, "mean") or options.mean or _DEFAULT_MEAN
        std = _triple(path, metadata, "std") or options.std or _DEFAULT_STD
        if not np.isfinite([*mean, *std]).all() or 0 in std:
            raise WeightsInvalidError(
                f"{path}: mean {mean} and std {std}, from its metadata or the options, must be "
                "finite, and std not zero"
            )
        template = scaled_template(options.template, size_px)
        return InputSpec(size_px=size_px, template=template, mean=mean, std=std)


def _open(path: Path, run: RunOptions) -> GraphSession:
    """A session in OpenVINO or ONNX Runtime. Raises WeightsMissingError, WeightsInvalidError."""
    forms = _forms(run)
    chosen = choose_backend(run.backend, forms)
    if missing_packages(chosen):
        raise WeightsMissingError("onnxruntime is not installed; run: pip install 'vultus[onnx]'")
    if not path.is_file():
        raise WeightsMissingError(f"there is no ONNX file {path}")
    # The effect of bfloat16 on an unknown graph is not known: only openvino by name uses it.
    half = run.half and run.backend == "openvino"
    # One session, as each holds all weights, and the file may be large.
    steady = replace(run, half=half, threads=CpuThreads(run.threads.busy, run.threads.busy))
    errors: list[str] = []
    for backend in (chosen, *(one for one in forms if one != chosen)):
        if missing_packages(backend) or (errors and run.backend == chosen):
            continue
        try:
            return open_graph(path, backend, steady)
        except Exception as error:  # noqa: BLE001  (they share no base; all are reported)
            errors.append(f"{backend}: {error}")
    raise WeightsInvalidError(f"{path} cannot be loaded as ONNX: {'; '.join(errors)}")


def _forms(run: RunOptions) -> Sequence[Backend]:
    """The backends for any .onnx file, fastest first."""
    return ("openvino", "onnxruntime") if run.device == "cpu" else ("onnxruntime",)


def _digest(path: Path, spec: InputSpec, options: OnnxOptions, *, open_size: int | None) -> str:
    """SHA-256 of all that an embedding depends on.

    These are the file, the files beside it that it names, and the preparation of crops where it
    differs from the defaults. `open_size` is the crop size, if the graph takes any. Collections of
    version 0.1.0 have this digest: whatever is added must not change it for what that version did.
    """
    sha256 = hashlib.sha256(path.read_bytes())
    for beside in external_files(path):
        sha256.update(bytes.fromhex(file_sha256(beside)))
    prepared = (open_size, spec.mean, spec.std, options.colours, options.mirror_average)
    usual_size = None if open_size is None else _DEFAULT_SIZE_PX
    if prepared != (usual_size, _DEFAULT_MEAN, _DEFAULT_STD, "rgb", False):
        sha256.update(json.dumps(prepared).encode())
    if spec.template != arcface_template(spec.size_px):
        sha256.update(json.dumps(spec.template).encode())
    return sha256.hexdigest()


def external_files(path: Path) -> list[Path]:
    """The files beside an .onnx file that it names (external weights), sorted by name."""
    content = path.read_bytes()
    return sorted(
        beside
        for beside in path.parent.iterdir()
        if beside != path and beside.is_file() and beside.name.encode() in content
    )


def load_described(
    path: Path, spec: NetworkSpec, colours: Colours, template: TemplateName, run: RunOptions
) -> OnnxNetwork:
    """The network in a file, as its card describes it; `template` is the name of the spec's.

    Raises WeightsMissingError, or WeightsInvalidError where the file is another network.
    """
    options = OnnxOptions(
        size_px=spec.input.size_px,
        mean=spec.input.mean,
        std=spec.input.std,
        colours=colours,
        mirror_average=spec.mirror_average,
        template=template,
    )
    network = OnnxNetwork(path, options, run)
    found = network.spec
    if (found.dimension, found.input) != (spec.dimension, spec.input):
        raise WeightsInvalidError(
            f"{path} is not the network of the card {spec.name}: it has dimension "
            f"{found.dimension} and input {found.input}, expected {spec.dimension} and {spec.input}"
        )
    network.spec = spec
    return network


def _layout(path: Path, shape: list[Any]) -> tuple[bool, int | None]:
    """Whether channels come first, and the side of the crop, None if the graph takes any."""
    if len(shape) == 4 and (shape[1] == 3 or shape[3] == 3):
        channels_first = shape[1] == 3
        height, width = shape[2:4] if channels_first else shape[1:3]
        if height == width or not (isinstance(height, int) and isinstance(width, int)):
            return channels_first, height if isinstance(height, int) else None
    raise WeightsInvalidError(
        f"{path} takes input of shape {shape}; an embedding network takes square colour crops, "
        "(N, 3, H, W) or (N, H, W, 3)"
    )


def _triple(path: Path, metadata: Mapping[str, str], key: str) -> Triple | None:
    if key not in metadata:
        return None
    try:
        first, second, third = json.loads(metadata[key])
        return float(first), float(second), float(third)
    except (ValueError, TypeError) as error:
        raise WeightsInvalidError(
            f"{path}: metadata {key!r} is {metadata[key]!r}; expected three numbers as a JSON list"
        ) from error
