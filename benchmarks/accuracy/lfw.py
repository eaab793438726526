"""Verification accuracy on Labeled Faces in the Wild, measured as `vultus evaluate` does.

    python -m benchmarks lfw --faces FOLDER [--quick] [--cache FOLDER]

Reports, on the listed pairs (View 2), the cross-validated accuracy, AUC, EER and FNMR at each FMR;
over all pairs of photos, AUC, EER, FNMR and the similarity threshold at each FMR. Intervals are
over people. A listed pair with a photo in which no face was found counts as a non-match in the
accuracy. The other rates are over the comparisons that could be made, and such photos are counted
apart, as ISO/IEC 19795-1 requires.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from app.cli.science.embed_photos import embed_listing
from app.cli.science.evaluate_tables import evaluation_tables
from app.cli.session import Loaded
from app.datasets.photo_listing import PhotoListing, read_listing
from app.datasets.photo_source import PhotoSource
from app.recognition.build import build_recognizer, load_configured_network
from app.settings import Settings
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine
from models.evaluation.options import EvaluationOptions, Protocol
from models.evaluation.photos import LabelledPhotos
from models.evaluation.run import evaluate

_QUICK_FOLDS = 2


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"only the first {_QUICK_FOLDS} folds")
    parser.add_argument("--faces", type=Path, help="folder with images/, pairs.csv")
    parser.add_argument("--cache", type=Path, help="folder that keeps the embeddings")
    options = parse_options(parser, needs_faces=True)
    listing = read_listing(PhotoSource(options.faces))
    if listing.pairs is None:
        parser.error(f"there is no list of pairs in {options.faces}; see benchmarks/README.md")
    if options.quick:
        some = tuple(pair for pair in listing.pairs if (pair.fold or 0) <= _QUICK_FOLDS)
        listing = replace(listing, pairs=some).only_paired()
    print_machine()
    settings = Settings()
    network = load_configured_network(settings)
    recognizer = build_recognizer(settings, network)
    try:
        photos = _embed(Loaded(settings, network, recognizer), listing, options.cache)
    finally:
        recognizer.stop()
    model = f"{network.spec.name}, {settings.detector.name}"
    about = {"model": model}
    protocols = (Protocol.PAIRS, Protocol.ALL_PAIRS)
    report = evaluate(photos, EvaluationOptions(), protocols=protocols, about=about)
    console.print(f"LFW, {model}")
    for table in evaluation_tables(report, None):
        console.print(table)
    missing = [name for name, why in zip(photos.names, photos.failures, strict=True) if why]
    console.print(f"photos without an embedding: {', '.join(missing) or 'none'}")
    figures = {figure.key: figure.value for figure in report.figures()}
    print_figures("lfw", {"model": model, **figures})


def _embed(loaded: Loaded, listing: PhotoListing, cache: Path | None) -> LabelledPhotos:
    with TemporaryDirectory() as folder:
        return asyncio.run(embed_listing(loaded, listing, cache or Path(folder)))
