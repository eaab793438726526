"""The device and the runtime of a network."""

from dataclasses import dataclass, field
from pathlib import Path

from models.zoo.serving.backends import BackendChoice
from models.zoo.serving.cpu_threads import CpuThreads


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`device` is `cpu`, `cuda` or `mps`.

    `half` asks for 16-bit floats where the device is fast at them: float16 on CUDA, bfloat16 in
    OpenVINO on a CPU that computes it. `backend` runs the network if the network has a form for it.
    `threads` is the number of CPU threads of one forward pass outside PyTorch; `passes` is how many
    threads call `forward` at once. `prepared_dir` keeps graphs as the runtime has optimised them.
    """

    device: str
    half: bool
    backend: BackendChoice = "torch"
    threads: CpuThreads = field(default_factory=CpuThreads)
    passes: int = 1
    prepared_dir: Path | None = None
