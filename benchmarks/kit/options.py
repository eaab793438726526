"""Options that benchmarks share, and the people that `--faces` and `--smoke` name."""

import argparse
from pathlib import Path

from benchmarks.kit.lfw_data import LfwData, lfw_data
from benchmarks.kit.lfw_embeddings import People, embed_people
from benchmarks.kit.smoke_data import (
    smoke_faces_folder,
    smoke_photos_folder,
    synthetic_people,
)


def benchmark_parser(
    doc: str, *, quick: str, faces: bool = False, cache: bool = False
) -> argparse.ArgumentParser:
    """A parser with the options that many benchmarks have, beside `--smoke`.

    Args:
        doc: The benchmark's docstring, whose first line describes it.
        quick: What `--quick` makes of the benchmark.
        faces: Whether there is `--faces FOLDER`.
        cache: Whether there is `--cache FILE`, for `embed_photos`.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n", maxsplit=1)[0])
    if faces:
        parser.add_argument("--faces", type=Path, help="folder with images/")
    if cache:
        parser.add_argument("--cache", type=Path, help="file that keeps the embeddings (.npz)")
    parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def parse_options(
    parser: argparse.ArgumentParser, *, needs_faces: bool = False, needs_photos: bool = False
) -> argparse.Namespace:
    """The options of a benchmark, with `--smoke` beside its own.

    With `--smoke`, `quick` is true, and `faces` and `photos` name folders that are made for it.
    Ends the program, with the remedy, where a folder is needed and not named.
    """
    parser.add_argument(
        "--smoke", action="store_true", help="end in seconds; the figures mean nothing"
    )
    options = parser.parse_args()
    if options.smoke:
        options.quick = True
        if getattr(options, "faces", "") is None:
            options.faces = smoke_faces_folder()
        if getattr(options, "photos", "") is None:
            options.photos = smoke_photos_folder()
    if needs_faces and options.faces is None:
        parser.error("--faces FOLDER is needed, or --smoke; see benchmarks/README.md")
    if needs_photos and options.photos is None:
        parser.error("--photos FOLDER is needed, or --smoke; see benchmarks/README.md")
    return options


def optional_faces(parser: argparse.ArgumentParser, options: argparse.Namespace) -> LfwData | None:
    """The data in `--faces`, or None where photos of packages are used instead."""
    return None if options.faces is None else lfw_data(parser, options.faces)


def people_to_measure(
    options: argparse.Namespace, data: LfwData, *, quick_draws: int, draws: int
) -> tuple[People, str, int]:
    """The people of the data, their network's digest, and how often to draw among them.

    With `--smoke`, the people are synthetic, and drawn among once.
    """
    if options.smoke:
        return synthetic_people(), "0" * 64, 1
    people, digest = embed_people(data, cache=options.cache)
    return people, digest, quick_draws if options.quick else draws
