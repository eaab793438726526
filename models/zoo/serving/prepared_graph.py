"""Graphs as ONNX Runtime has optimised them, kept in files.

Converting the weights of a network and optimising its graph take half a second of CPU time at each
start. Of the files, the runtime reads the graph, and maps the weights into memory, which sessions
and processes then share.
"""

import hashlib
import json
import platform
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from models.files import file_sha256, flush_folder, write_text_atomically

_GRAPH: Final = "graph.onnx"
_WEIGHTS: Final = "graph.weights"
_DIGESTS: Final = "sha256.json"
_CODE: Final = ("networks", "serving", "weights")  # what makes the graph of a network


@dataclass(frozen=True, slots=True)
class PreparedGraph:
    """The files of one network in `folder`, which are made when they are first needed.

    `network` and `key` are of a network, of the code and the runtime that prepared it, and of the
    processor, for which the runtime lays out the weights.
    """

    folder: Path
    network: str
    key: str

    @property
    def _place(self) -> Path:
        return self.folder / f"{self.network}-{self.key[:16]}"

    def find(self) -> Path | None:
        """The graph, if its files are there and are as they were written."""
        try:
            digests = json.loads((self._place / _DIGESTS).read_text())
            whole = all(
                file_sha256(self._place / name) == digests[name] for name in (_GRAPH, _WEIGHTS)
            )
        except (OSError, ValueError, LookupError, TypeError):
            return None  # never made, or damaged: it is made again
        return self._place / _GRAPH if whole else None

    def make(self, save: Callable[[Path, str], None]) -> Path | None:
        """Make the files; `save` writes a graph and, under a name beside it, its weights.

        Returns the graph, or None where the files cannot be written: the network then runs without
        them. What `save` raises beside OSError is raised.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            unfinished = Path(mkdtemp(dir=self.folder, prefix=".unfinished-"))
        except OSError:
            return None
        try:
            save(unfinished / _GRAPH, _WEIGHTS)
            digests = {name: file_sha256(unfinished / name) for name in (_GRAPH, _WEIGHTS)}
            write_text_atomically(unfinished / _DIGESTS, json.dumps(digests))
            shutil.rmtree(self._place, ignore_errors=True)  # a damaged one
            with suppress(OSError):  # another process was quicker
                unfinished.rename(self._place)
            flush_folder(self.folder)
        except OSError:
            return None
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._remove_former()
        return self.find()

    def _remove_former(self) -> None:
        """Remove what was made of this network by another version of the code or the runtime.

        A process that has mapped such a file keeps it until it ends.
        """
        for former in self.folder.glob(f"{self.network}-{'?' * 16}"):
            if former != self._place:
                shutil.rmtree(former, ignore_errors=True)


def prepared_key(digest: str, form: str) -> str:
    """The key of a network whose weights have this digest, for this version and this machine.

    `form` says which of its graphs it is, and the version of the runtime.
    """
    parts = (digest, form, _code_digest(), _processor())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _code_digest() -> str:
    """SHA-256 of the code that converts weights and writes graphs."""
    zoo = Path(__file__).parents[1]
    sha256 = hashlib.sha256()
    for package in _CODE:
        for file in sorted((zoo / package).glob("*.py")):
            sha256.update(file.read_bytes())
    return sha256.hexdigest()


@cache
def _processor() -> str:
    """The instructions that the processor has."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line.partition(':')[2]}"
    return f"{platform.machine()} {platform.processor()}"
