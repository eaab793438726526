"""A second embedder in an .onnx file, registered as users do it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from models.zoo.adding import Naming, add_onnx
from models.zoo.names import FORMER_ONNX
from models.zoo.serving.onnx_network import OnnxOptions
from scripts.second_network import write_second_network

SECOND = FORMER_ONNX
"""Its name, which is that of every .onnx file of version 0.1.0."""


def add_second_network(weights_dir: Path) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "second.onnx"
        write_second_network(path)
        add_onnx(path, Naming(SECOND, "for tests"), weights_dir, OnnxOptions())
