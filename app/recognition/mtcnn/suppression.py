"""torchvision's operator for non-maximum suppression, without the rest of torchvision.

To import the package draws in PyTorch's compiler, which takes as long as PyTorch itself; the
operator lies in a library of compiled code that needs none of it.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor


def _operator() -> Callable[[Tensor, Tensor, float], Tensor]:
    package = find_spec("torchvision")
    if package is not None and package.origin is not None:
        for library in Path(package.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    if not hasattr(torch.ops.torchvision, "nms"):  # a build that keeps its operators elsewhere
        import torchvision  # noqa: F401, PLC0415  (brings them)
    operator: Callable[[Tensor, Tensor, float], Tensor] = torch.ops.torchvision.nms
    return operator


suppress = _operator()
"""(boxes (N, 4), scores (N,), most of the union that two may share): which remain, best first."""
