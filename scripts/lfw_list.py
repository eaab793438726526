"""List the photos of Labeled Faces in the Wild with their people, without its known wrong labels.

    python -m scripts.lfw_list FOLDER lfw.csv
    vultus calibrate lfw.csv --faces central --out FILE

A person under two names looks like two strangers who are alike. Where a network is strong, a few
of them decide what the most similar strangers are like, and thresholds for large galleries become
too strict. Those below were found by `benchmarks doctor`'s means, the pairs of photos under two
names that are most alike, and were looked at. FOLDER holds images/NAME/NAME_0001.jpg.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ONE_PERSON: Final = {
    "Hasan_Wirayuda": "Hassan_Wirajuda",
    "Chyung_Dai-chul": "Dai_Chul_Chyung",
    "Cristina_Kirchner": "Cristina_Fernandez",
}
"""Name that a person is listed under, by their second name."""

LEFT_OUT: Final = frozenset(
    {
        "Martha_Bowen/Martha_Bowen_0002.jpg",  # is Gabrielle_Rose_0001.jpg
        # Each of the two is on a photo of either name.
        "Flor_Montulo/Flor_Montulo_0001.jpg",
        "Flor_Montulo/Flor_Montulo_0002.jpg",
        "Nora_Bendijo/Nora_Bendijo_0001.jpg",
        "Nora_Bendijo/Nora_Bendijo_0002.jpg",
    }
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="folder with images/")
    parser.add_argument("out", type=Path, help="the list to write")
    options = parser.parse_args()
    with options.out.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("photo", "person"))
        lines.writerows(_labelled(options.folder / "images"))


def _labelled(images: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(images.glob("*/*.jpg")):
        if str(path.relative_to(images)) not in LEFT_OUT:
            name = path.parent.name
            yield str(path.resolve()), ONE_PERSON.get(name, name)


if __name__ == "__main__":
    main()
