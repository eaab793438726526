"""Where the networks run, and how they share the processor."""

import cv2
import torch

from app.errors import StartupError


def resolve_device(wanted: str) -> str:
    """`auto` is CUDA, else Apple's MPS, else the CPU; anything else must be there.

    Raises StartupError when the wanted device is not.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, there in available.items() if there)
    if not available[wanted]:
        raise StartupError(
            f"VULTUS_DEVICE={wanted}, but PyTorch {torch.__version__} sees no such device here; "
            "use VULTUS_DEVICE=auto, or install the driver and a PyTorch build for it"
        )
    return wanted


def detector_device(device: str) -> str:
    """MTCNN resamples by adaptive pooling, which PyTorch lacks on MPS for odd sizes."""
    return "cpu" if device == "mps" else device


def require_full_precision(device: str) -> None:
    """Have convolutions of float32 on CUDA multiply float32.

    PyTorch lets them round to TF32's ten bits, which suffices for telling people apart, but not for
    finding the same boxes: with it, three of 256 faces on an H200 lay elsewhere than on the CPU.
    """
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False


def limit_threads(count: int) -> None:
    """Cap the CPU threads of one operation, in the calling thread and those it starts.

    Workers already fill the cores. Two OpenMP threads a worker on as many busy cores spin while
    they wait for each other and can be ten times slower than one.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def device_memory_bytes(device: str) -> int | None:
    """What PyTorch holds of the device's memory; None on the CPU, where it is the process's own.

    On CUDA with what its allocator keeps for the next batch, which nobody else can use.
    """
    if device == "cuda":
        return int(torch.cuda.memory_reserved())
    if device == "mps":
        return int(torch.mps.driver_allocated_memory())
    return None
