"""The device that networks run on, and the CPU threads that they take."""

import sys

import cv2
import structlog

from app.errors import PackagesMissing, StartupError
from app.recognition.accelerators import may_have_accelerator
from models.zoo.serving.backends import EXTRAS, missing_packages

_log = structlog.get_logger(__name__)


def resolve_device(wanted: str) -> str:
    """Return the device; `auto` is CUDA, else Apple's MPS, else the CPU.

    PyTorch is imported only where it has to be asked. Raises StartupError when the named device is
    not available.
    """
    if wanted == "cpu" or (wanted == "auto" and not may_have_accelerator()):
        return "cpu"
    missing = missing_packages("torch")
    if missing and wanted == "auto":
        if sys.platform == "linux":  # elsewhere, it is not known whether there is a device
            _log.warning(
                "gpu_unused",
                missing=missing,
                remedy="pip install 'vultus[gpu]', or set VULTUS_DEVICE=cpu to accept it",
            )
        return "cpu"
    if missing:
        raise PackagesMissing(f"VULTUS_DEVICE={wanted} needs PyTorch", extra=EXTRAS["torch"])
    import torch  # noqa: PLC0415

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
        import torch  # noqa: PLC0415

        torch.backends.cudnn.allow_tf32 = False


def limit_threads(count: int) -> None:
    """Limit the CPU threads of one operation, in the calling thread and in threads that it starts.

    Recognition threads already use all cores. Several OpenMP threads for each on busy cores spin
    while they wait for each other, and can be ten times slower than one. PyTorch's are limited
    where it has been imported: call it again once a network is loaded.
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
    cv2.setNumThreads(count)


def device_memory_bytes(device: str) -> int | None:
    """Memory of the device that PyTorch holds; None on the CPU, whose memory is the process's own.

    On CUDA, it includes what the allocator keeps for the next batch.
    """
    if device == "cpu":
        return None
    import torch  # noqa: PLC0415

    if device == "cuda":
        return int(torch.cuda.memory_reserved())
    return int(torch.mps.driver_allocated_memory())
