"""What a server imports before it serves: see `tests.forked_vultus`."""

import gc
from importlib import import_module

for _name in (
    "app.cli.main",
    "app.cli.serve",
    "app.main",
    "models.zoo.dlib_onnx",
    "models.zoo.mtcnn_onnx",
):
    import_module(_name)

gc.collect()
gc.freeze()  # collections in the processes that are forked do not write to what they share
