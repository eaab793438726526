"""Verification accuracy on Labeled Faces in the Wild, by the service's own pipeline and settings.

    python -m benchmarks lfw --faces FOLDER [--quick] [--cache FILE]

Reports, on the listed pairs (View 2): cross-validated accuracy, AUC, EER and TAR at FMR 1e-2 and
1e-3; over all pairs of photos: TAR and the similarity threshold at each FMR. A listed pair with a
photo in which no face was found counts as a non-match in the accuracy. The other rates are over the
comparisons that could be made, and such photos are counted apart, as ISO/IEC 19795-1 wants it.
"""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.recognition.build import build_recognizer, load_configured_network
from app.settings import Settings
from benchmarks.kit.lfw_data import Pair, lfw_data, person_of
from benchmarks.kit.lfw_embeddings import Embeddings, embed_all, embed_photos
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table
from models.evaluation.protocols.cross_validation import cross_validated_accuracy
from models.evaluation.statistics.curves import auc, eer, tar_at_fmr, threshold_at_fmr
from models.evaluation.statistics.scores import PairScores, all_pairs

_LISTED_FMRS = (1e-2, 1e-3)
_ALL_PAIRS_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_QUICK_FOLDS = 2
_NO_FACE = -1.0  # the similarity of a pair with a photo in which no face was found


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only the first {_QUICK_FOLDS} folds", cache=True)
    parser.add_argument("--faces", type=Path, help="folder with images/, pairs.csv")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()

    pairs = data.pairs()
    settings = Settings()
    network = load_configured_network(settings)
    if options.quick:
        pairs = [pair for pair in pairs if pair.fold <= _QUICK_FOLDS]
        photos = sorted({photo for pair in pairs for photo in (pair.left, pair.right)})
        recognizer = build_recognizer(settings, network)
        try:
            embeddings = asyncio.run(embed_all(recognizer, data, photos))
        finally:
            recognizer.stop()
    else:
        embeddings, _ = embed_photos(settings, network, data, cache=options.cache)
    _report(f"{network.spec.name}, {settings.detector.name}", pairs, embeddings)


def _report(model: str, pairs: list[Pair], embeddings: Embeddings) -> None:
    missing = sorted(photo for photo, embedding in embeddings.items() if embedding is None)
    listed = np.array([_similarity(embeddings, pair) for pair in pairs], dtype=np.float32)
    same = np.array([pair.same for pair in pairs])
    accuracy = cross_validated_accuracy(listed, same, np.array([pair.fold for pair in pairs]))
    made = listed != _NO_FACE
    listed_scores = PairScores(genuine=listed[same & made], impostor=listed[~same & made])

    found = {photo: row for photo, row in embeddings.items() if row is not None}
    scores = all_pairs(np.stack(list(found.values())), [person_of(photo) for photo in found])
    shown = _measurable(_ALL_PAIRS_FMRS, scores)
    tar = {_name(fmr): tar_at_fmr(scores, fmr) for fmr in shown}
    thresholds = {_name(fmr): threshold_at_fmr(scores.impostor, fmr) for fmr in shown}
    listed_shown = _measurable(_LISTED_FMRS, listed_scores)
    listed_tar = {_name(fmr): tar_at_fmr(listed_scores, fmr) for fmr in listed_shown}

    figures = {
        "model": model,
        "photos": len(embeddings),
        "no_face": len(missing),
        "pairs": len(pairs),
        "accuracy": accuracy.mean,
        "accuracy_standard_error": accuracy.standard_error,
        "auc": auc(listed_scores),
        "eer": eer(listed_scores),
        "tar_at_fmr_listed_pairs": listed_tar,
        "genuine_pairs": len(scores.genuine),
        "impostor_pairs": len(scores.impostor),
        "tar_at_fmr": tar,
        "similarity_at_fmr": thresholds,
    }
    print_table(
        f"LFW, {model}",
        [
            ("photos", f"{len(embeddings)}, without a face: {', '.join(missing) or 'none'}"),
            (
                f"accuracy on {len(pairs)} listed pairs",
                f"{accuracy.mean:.4f} +- {accuracy.standard_error:.4f} (standard error over folds)",
            ),
            ("AUC, EER on them", f"{figures['auc']:.5f}, {figures['eer']:.4f}"),
            *((f"TAR at FMR {fmr} on them", f"{value:.4f}") for fmr, value in listed_tar.items()),
            (
                "all pairs of photos",
                f"{len(scores.genuine):,} genuine, {len(scores.impostor):,} impostor",
            ),
            *(
                (f"TAR at FMR {fmr} over all pairs", f"{tar[fmr]:.4f} at similarity {value:.4f}")
                for fmr, value in thresholds.items()
            ),
        ],
    )
    print_figures("lfw", figures)


def _measurable(fmrs: Sequence[float], scores: PairScores) -> list[float]:
    """Those that so many impostor pairs can show."""
    return [fmr for fmr in fmrs if int(fmr * len(scores.impostor)) >= 1]


def _name(fmr: float) -> str:
    """1e-3, as the field writes it."""
    return f"1e{round(math.log10(fmr))}"


def _similarity(embeddings: Embeddings, pair: Pair) -> float:
    left, right = embeddings[pair.left], embeddings[pair.right]
    return _NO_FACE if left is None or right is None else float(left @ right)
