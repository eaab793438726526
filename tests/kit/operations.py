"""Counts of what a function makes Python and PyTorch do. Unlike times, they are exact anywhere."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from app.recognition.batched import pictures


@dataclass(frozen=True, slots=True)
class Counts:
    """`operators` of PyTorch without views, each of which launches at most a few kernels on a GPU;
    copies `to_device` and `to_host`, as a GPU would need them; and all `calls` of functions by
    Python. Only the calling thread counts."""

    operators: int
    to_device: int
    to_host: int
    calls: int


def counted(run: Callable[[], object]) -> Counts:
    """Call a function, and count what its thread does meanwhile."""
    operators = _Operators()
    with operators:
        run()
    calls = _Calls()
    sys.setprofile(calls.note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return Counts(operators.number, calls.to_device, calls.to_host, calls.number)


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.number = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.number += not func.is_view
        return func(*args, **(kwargs or {}))


class _Calls:
    def __init__(self) -> None:
        self.number = self.to_device = self.to_host = 0

    def note(self, frame: FrameType, event: str, function: Any) -> None:
        """Count an event of `sys.setprofile`."""
        if event == "call":
            self.number += 1
            uploads = pictures.on_device.__code__, pictures.Pictures.uploaded.__code__
            self.to_device += frame.f_code in uploads
        elif event == "c_call":
            self.number += 1
            self.to_host += getattr(function, "__name__", "") == "cpu" and isinstance(
                getattr(function, "__self__", None), Tensor
            )
