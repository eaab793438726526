"""Imports of a server before it serves: see `tests.kit.forks`.

These are statements, so that mypy reports a module that has moved: the process that imports this
file passes over an ImportError.
"""

# ruff: noqa: F401
import gc

import app.cli.main
import app.cli.serve.serve
import app.main
import models.zoo.detectors.mtcnn_onnx
import models.zoo.detectors.yunet_onnx
import models.zoo.networks.dlib_onnx
import models.zoo.networks.sface_onnx

gc.collect()
gc.freeze()  # collections in the processes that are forked do not write to what they share
