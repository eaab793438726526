"""The device that networks run on, and the CPU threads that they take."""

import cv2
import torch

from app.errors import StartupError


def resolve_device(wanted: str) -> str:
    """Return the device; `auto` is CUDA, else Apple's MPS, else the CPU.

    Raises StartupError when the named device is not available.
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
    """The device of the detector: MTCNN needs adaptive pooling, which MPS lacks for odd sizes."""
    return "cpu" if device == "mps" else device


def require_full_precision(device: str) -> None:
    """Make convolutions of float32 on CUDA multiply float32.

    By default, PyTorch rounds to the ten bits of TF32. That is enough to recognise people, but not
    to find the same boxes: of 256 faces on an H200, three lay elsewhere than on the CPU.
    """
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False


def limit_threads(count: int) -> None:
    """Limit the CPU threads of one operation, in the calling thread and in threads that it starts.

    Recognition threads already use all cores. Several OpenMP threads for each on busy cores spin
    while they wait for each other, and can be ten times slower than one.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def device_memory_bytes(device: str) -> int | None:
    """Memory of the device that PyTorch holds; None on the CPU, whose memory is the process's own.

    On CUDA, it includes what the allocator keeps for the next batch.
    """
    if device == "cuda":
        return int(torch.cuda.memory_reserved())
    if device == "mps":
        return int(torch.mps.driver_allocated_memory())
    return None
