"""Whether a device other than the CPU may be here, found out without PyTorch.

The import of PyTorch takes seconds and 300 MB, which a service on a CPU can do without.
"""

import sys
from pathlib import Path
from typing import Final

_DEVICE_FILES: Final = (
    "nvidiactl",  # NVIDIA's driver
    "nvhost-gpu",  # NVIDIA's driver on Jetson
    "dxg",  # Windows Subsystem for Linux
    "kfd",  # AMD's driver, whose devices PyTorch's build for ROCm calls CUDA
)


def may_have_accelerator(folder: Path = Path("/dev")) -> bool:
    """Whether PyTorch has to be asked for devices: on Linux, where a driver has its file."""
    if sys.platform != "linux":
        return True
    return any((folder / name).exists() for name in _DEVICE_FILES)
