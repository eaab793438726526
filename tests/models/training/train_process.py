"""A training process of its own: `python -m tests.models.training.train_process CROPS RUN`.

It says each step on standard output, so that it can be killed at one, and each loss exactly.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.training.data.crop_store import open_store
from models.training.results.run_folder import open_run
from models.training.trainer import train
from models.training.watch import Watch


class Teller(Watch):
    def began(self, *, step: int, **_: int) -> None:
        self._say(f"began {step}")

    def stepped(self, *, step: int, loss: float, **_: float) -> None:
        self._say(f"step {step} {loss!r}")

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        self._say(f"evaluated {line['epoch']} {is_best}")

    def _say(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    crops, run = map(Path, sys.argv[1:])
    folder, source = open_run(run)
    train(source.config, open_store(crops), folder, weights_dir=crops, watch=Teller())
