"""The embedders in each runtime: CPU time of a crop, and whether they decide alike.

    python -m benchmarks runtimes --faces FOLDER [--quick]

**Time.** CPU milliseconds a crop in one thread, alone and in batches of two and eight: the runtimes
take turns over the same crops, and of the rounds the least counts, since other work on the machine
only ever adds. ONNX Runtime runs SFace in both forms of its graph.

**Agreement.** The least cosine between the embeddings of a crop by PyTorch and by each runtime, on
some hundred photos.

**Decisions.** Over all pairs of photos of LFW, each network in ONNX Runtime (float32) gives the
similarities at which strangers match at FMR 1e-3, 1e-4 and 1e-5, and the share of the pairs of one
person that match there (TAR). Then the same at these similarities by what `VULTUS_BACKEND=auto`
takes here, how many pairs are decided otherwise, and how many where one photo of a pair is embedded
by each (a gallery that was made with one runtime and is searched with another).

**Mirror average.** For SFace, which does without: TAR of the average of a crop's embedding and its
mirror image's, at its own similarities; it costs a second crop.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.recognition.align import align
from app.recognition.build import build_detector
from app.recognition.decode.photo_file import decode
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.embedder import unit_length
from app.settings import Settings
from benchmarks.kit.lfw_data import LfwData, lfw_data, person_of
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from models.zoo.network import Crops, Embeddings, InputSpec, Network
from models.zoo.networks import sface_weights
from models.zoo.networks.sface_onnx import sface_graph
from models.zoo.registry import SFACE, LoadOptions, load_network
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.graph_network import GraphNetwork
from models.zoo.serving.onnx_session import OnnxRuntimeSession
from models.zoo.serving.run_options import RunOptions

_NETWORKS: Final = ("sface", "dlib-resnet")
_BATCHES: Final = (1, 2, 8)
_RATES: Final = (1e-3, 1e-4, 1e-5)
_COMPARED_CROPS = 200
_BATCH = 8

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Size:
    photos: int | None
    """Photos of LFW, spread over all of them; all if None."""
    rounds: int


_FULL = Size(None, 20)
_QUICK = Size(500, 5)
_SMOKE = Size(8, 1)


def main() -> None:
    parser = benchmark_parser(__doc__, quick="500 photos, few rounds", faces=True)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    console.print(
        f"{_processor()}; onnxruntime {version('onnxruntime')}, openvino {version('openvino')}",
        highlight=False,
    )
    limit_threads(1)
    size = _SMOKE if options.smoke else _QUICK if options.quick else _FULL
    names = data.photos()
    names = names[:: max(1, len(names) // size.photos)] if size.photos else names
    detector = build_detector(Settings(_env_file=None, device="cpu"), CpuThreads())
    figures: dict[str, object] = {}
    with TemporaryDirectory() as folder:
        runtimes = {name: _networks(name, Path(folder)) for name in _NETWORKS}
        for name, networks in runtimes.items():
            spec = next(iter(networks.values())).spec
            crops, people = _cut(data, names[:_COMPARED_CROPS], detector, spec.input)
            figures[name] = _compare(name, networks, crops, size.rounds)
        for name, networks in runtimes.items():
            spec = next(iter(networks.values())).spec
            crops, people = _cut(data, names, detector, spec.input)
            figures[f"{name}, decisions"] = _decisions(name, networks, crops, people)
    print_figures("runtimes", figures)


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "processor unknown"


def _networks(name: str, folder: Path) -> Mapping[str, Network]:
    """The same network by runtime."""

    def load(backend: str, *, half: bool) -> Network:
        options = LoadOptions("cpu", half, weights_dir=folder, backend=backend)  # type: ignore[arg-type]
        return load_network(name, options)

    networks = {
        "PyTorch": load("torch", half=False),
        "ONNX Runtime": load("onnxruntime", half=False),
        "OpenVINO, float32": load("openvino", half=False),
    }
    if name == "sface":
        weights, digest = sface_weights.load()
        graph = sface_graph(weights.arrays, SFACE, split_prelu=False)
        session = OnnxRuntimeSession(graph, RunOptions("cpu", half=False))
        networks["ONNX Runtime, PReLU as it is"] = GraphNetwork(SFACE, digest, session)
    bfloat16 = load("openvino", half=True)
    if bfloat16.precision == "bfloat16":
        networks["OpenVINO, bfloat16"] = bfloat16
    networks["auto"] = load("auto", half=True)
    return networks


def _cut(
    data: LfwData, names: list[str], detector: CopyingDetector, wanted: InputSpec
) -> tuple[Crops, NDArray[np.int64]]:
    """The most central face of each photo, and the number of its person."""
    people: dict[str, int] = {}
    crops, of = [], []
    for name in names:
        photo = decode((data.images / name).read_bytes(), max_pixels=10**8)
        middle = np.array(photo.shape[1::-1]) / 2
        faces = detector.detect(photo)
        if faces:
            nearest = min(faces, key=lambda face: _distance(face.box, middle))
            crops.append(align(photo, nearest.landmarks, wanted))
            of.append(people.setdefault(person_of(name), len(people)))
    return np.stack(crops), np.array(of)


def _distance(box: tuple[float, float, float, float], middle: NDArray[np.float64]) -> float:
    corners = np.array(box).reshape(2, 2)
    return float(np.linalg.norm(corners.mean(axis=0) - middle))


def _compare(
    name: str, networks: Mapping[str, Network], crops: Crops, rounds: int
) -> dict[str, object]:
    console.print(f"timing {name}", highlight=False)
    shown = {label: network for label, network in networks.items() if label != "auto"}
    least: dict[tuple[str, int], float] = {}
    for number in range(rounds + 1):  # the first warms up
        for label, network in shown.items():
            for batch in _BATCHES:
                part = crops[:batch]
                taken = _cpu_seconds(lambda n=network, p=part: n.forward(p)) / len(part)  # type: ignore[misc]
                if number:
                    least[label, batch] = min(least.get((label, batch), taken), taken)
    reference = _embed(shown["PyTorch"], crops)
    cosines = {
        label: float((_embed(network, crops) * reference).sum(axis=1).min())
        for label, network in shown.items()
    }
    chosen = networks["auto"]
    rows = [
        (
            label,
            ", ".join(f"{least[label, batch] * 1e3:.2f}" for batch in _BATCHES)
            + f" ms; least cosine {cosines[label]:.6f}",
        )
        for label in shown
    ]
    rows.append(("auto takes here", f"{chosen.runtime}, {chosen.precision}"))
    print_table(f"{name}: CPU ms a crop in batches of {', '.join(map(str, _BATCHES))}", rows)
    return {
        "auto": [chosen.runtime, chosen.precision],
        "runtimes": {
            label: {
                "ms": {str(batch): round(least[label, batch] * 1e3, 3) for batch in _BATCHES},
                "least_cosine": round(cosines[label], 7),
            }
            for label in shown
        },
    }


def _decisions(
    name: str, networks: Mapping[str, Network], crops: Crops, people: NDArray[np.int64]
) -> dict[str, object]:
    console.print(f"comparing all pairs of {len(crops)} photos", highlight=False)
    averages = networks["auto"].spec.mirror_average
    plain, chosen = (
        _embed(networks[label], crops, averages=averages) for label in ("ONNX Runtime", "auto")
    )
    mirrored = (
        None if averages else unit_length(chosen + _embed(networks["auto"], crops[:, :, ::-1])).rows
    )
    found: dict[str, object] = {
        "photos": len(crops),
        "people": len(set(people.tolist())),
        "least_cosine": round(float((plain * chosen).sum(axis=1).min()), 6),
    }
    rows = [(label, str(value)) for label, value in found.items()]
    for rate in _RATES:
        threshold = _threshold(plain, people, rate)
        by_plain = _Decided.of(plain, plain, people, threshold)
        by_chosen = _Decided.of(chosen, chosen, people, threshold)
        across = _Decided.of(plain, chosen, people, threshold)
        figures = {
            "threshold": round(threshold, 4),
            "tar": round(by_plain.tar, 5),
            "auto_tar": round(by_chosen.tar, 5),
            "auto_fmr": by_chosen.fmr,
            "auto_decided_otherwise": by_plain.differing(by_chosen),
            "across_decided_otherwise": by_plain.differing(across),
            "pairs": by_plain.count,
        }
        if mirrored is not None:
            own = _threshold(mirrored, people, rate)
            figures["mirrored_tar"] = round(_Decided.of(mirrored, mirrored, people, own).tar, 5)
        found[f"{rate:g}"] = figures
        rows.append(
            (f"FMR {rate:g}", ", ".join(f"{key} {value}" for key, value in figures.items()))
        )
    print_table(f"{name}: decisions of auto beside ONNX Runtime's", rows)
    return found


@dataclass(frozen=True, slots=True)
class _Decided:
    """Pairs that match: `matches` is (N, N), of which the part above the diagonal counts."""

    matches: Bools
    tar: float
    fmr: float
    count: int

    @classmethod
    def of(
        cls, left: Embeddings, right: Embeddings, people: NDArray[np.int64], threshold: float
    ) -> "_Decided":
        matches = np.triu(left @ right.T >= threshold, k=1)
        same = np.triu(people[:, None] == people, k=1)
        genuine, count = int(same.sum()), len(people) * (len(people) - 1) // 2
        matched = int(matches[same].sum())
        return cls(
            matches,
            matched / max(1, genuine),
            (int(matches.sum()) - matched) / max(1, count - genuine),
            count,
        )

    def differing(self, other: "_Decided") -> int:
        return int((self.matches != other.matches).sum())


def _threshold(rows: Embeddings, people: NDArray[np.int64], rate: float) -> float:
    """The least similarity that at most a share `rate` of the pairs of strangers reach."""
    strangers = np.concatenate(list(_strangers(rows, people)))
    allowed = int(rate * len(strangers))
    if allowed == 0:
        return float(np.nextafter(strangers.max(), np.float32(2)))
    place = len(strangers) - allowed
    return float(np.partition(strangers, place)[place])


def _strangers(rows: Embeddings, people: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    for number in range(len(rows) - 1):
        others = slice(number + 1, None)
        yield (rows[others] @ rows[number])[people[others] != people[number]]


def _embed(network: Network, crops: Crops, *, averages: bool = False) -> Embeddings:
    """Embeddings of unit length, in batches; `averages` adds each crop's mirror image."""
    parts = [
        network.forward(np.ascontiguousarray(some[start : start + _BATCH]))
        for some in ((crops, crops[:, :, ::-1]) if averages else (crops,))
        for start in range(0, len(some), _BATCH)
    ]
    summed = np.concatenate(parts).reshape(-1, len(crops), parts[0].shape[1]).sum(axis=0)
    return unit_length(summed).rows


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
