"""`measure_map` as a process of its own: `python -m models.evaluation.calibration.measure_process`.

It reads one NPZ from standard input, as `write_query` makes it, and writes one JSON:
`{"map": ...}`, or `{"error": text}` when there are too few people. It runs at the lowest priority,
and ends when its standard input is closed, as when the process that started it ends.
"""

import io
import json
import os
import struct
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.evaluation.calibration.measure_map import USUAL_GAINS, measure_map
from models.evaluation.calibration.similarity_map import Gains

_LENGTH = struct.Struct("<Q")
_LEAST_PRIORITY = 19


def write_query(
    file: BinaryIO,
    embeddings: NDArray[np.float32],
    people: Sequence[str],
    *,
    embedder: str,
    digest: str,
    source: str,
    usual_gains: Gains = USUAL_GAINS,
) -> None:
    """Write the arguments of `measure_map`."""
    packed = io.BytesIO()
    texts = json.dumps({"embedder": embedder, "digest": digest, "source": source})
    np.savez(
        packed,
        embeddings=embeddings,
        people=np.asarray(people, dtype=str),
        texts=texts,
        usual_gains=np.array(usual_gains),
    )
    data = packed.getvalue()
    file.write(_LENGTH.pack(len(data)))
    file.write(data)
    file.flush()


def main() -> None:
    os.nice(_LEAST_PRIORITY)
    (length,) = _LENGTH.unpack(sys.stdin.buffer.read(_LENGTH.size))
    with np.load(io.BytesIO(sys.stdin.buffer.read(length))) as query:
        embeddings, people = query["embeddings"], query["people"].tolist()
        texts = json.loads(str(query["texts"]))
        usual_gains = tuple((count, gain) for count, gain in query["usual_gains"].tolist())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        measured = measure_map(embeddings, people, usual_gains=usual_gains, **texts)
        answer: dict[str, object] = {"map": measured.to_json()}
    except ValueError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


def _end_with_parent() -> None:
    # The descriptor itself, as a thread in a buffered reader would hold its lock at the end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
