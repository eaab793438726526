"""`vultus serve` that counts the CPU time of its parts, and answers it at a socket."""

from pathlib import Path

import onnxruntime
from sqlalchemy.engine import Connection

from app.api import endpoint
from app.api.bodies.request_body import Body
from app.api.edge.request_log import RequestLog
from app.cli.serve.serve import serve
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.store.statements.prepared import PreparedStatement
from app.operations.identify.blocking_search import BlockingSearch
from app.recognition import batch
from app.recognition.decode.photo_file import PhotoFile
from app.recognition.detect.copying_detector import CopyingDetector
from benchmarks.kit.cpu_parts import CpuParts
from models.zoo.serving.openvino_session import OpenVinoSession

SOCKET = "cpu-parts"
NETWORKS = "networks"


def measure_parts(parts: CpuParts) -> None:
    """Wrap the functions that stand for the parts of a request."""
    parts.measure(OpenVinoSession, "run", NETWORKS)
    parts.measure(onnxruntime.InferenceSession, "run", NETWORKS)
    parts.measure(batch.BatchRecognizer, "__call__", "rest of a batch")
    parts.measure(batch.BatchRecognizer, "_open", "decoding")
    parts.measure(PhotoFile, "read", "decoding")
    parts.measure(CopyingDetector, "detect_all", "around the detector's networks")
    parts.measure(batch, "align", "crops")
    parts.measure(batch, "assess", "quality")
    parts.measure(BlockingSearch, "decide", "people, templates, thresholds")
    parts.measure(Connection, "execute", "statements")
    parts.measure(PreparedStatement, "rows", "statements")
    parts.measure(FaissIndex, "search", "index")
    parts.measure(Body, "_validated", "validation of the body")
    parts.measure(endpoint._Handler, "_text", "answer")  # noqa: SLF001  (there is no other hook)
    parts.measure(RequestLog, "_record", "log, metrics")


if __name__ == "__main__":
    counted = CpuParts()
    measure_parts(counted)
    counted.serve(Path(SOCKET))
    serve()
