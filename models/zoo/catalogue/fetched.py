"""Fetched files of the catalogue: NAME.onnx, and its receipt NAME.json."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.files import write_text_atomically
from models.zoo.catalogue.entry import CatalogueEntry, Sha256, catalogue
from models.zoo.errors import WeightsInvalidError


class Receipt(BaseModel):
    """The source and the time of a fetched file, and when its licence was accepted, if required.

    Times are ISO 8601, in UTC.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    name: str
    bytes: int
    sha256: Sha256
    source: str
    fetched: str
    license: str
    license_url: str
    license_accepted: str | None = None


def catalogue_dir(weights_dir: Path) -> Path:
    return weights_dir / "catalogue"


def file_of(name: str, weights_dir: Path) -> Path:
    """The path of a network's file, fetched or not."""
    return catalogue_dir(weights_dir) / f"{name}.onnx"


def find_receipt(entry: CatalogueEntry, weights_dir: Path) -> Receipt | None:
    """The receipt of a fetched file, if the file is the one that the card pins.

    Raises WeightsInvalidError for a damaged receipt.
    """
    path = _receipt_path(entry.name, weights_dir)
    if not file_of(entry.name, weights_dir).is_file() or not path.is_file():
        return None
    try:
        receipt = Receipt.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsInvalidError(
            f"{path} is no receipt of a fetched network ({error}); delete it and fetch the "
            "network again"
        ) from error
    return receipt if entry.sha256 in (None, receipt.sha256) else None


def write_receipt(receipt: Receipt, weights_dir: Path) -> None:
    """Write the receipt, after the file: the network is known from then on."""
    text = receipt.model_dump_json(indent=1) + "\n"
    write_text_atomically(_receipt_path(receipt.name, weights_dir), text)


def list_fetched(weights_dir: Path) -> tuple[CatalogueEntry, ...]:
    """Cards of the networks whose files were fetched. Raises WeightsInvalidError."""
    return tuple(
        entry for entry in catalogue().values() if find_receipt(entry, weights_dir) is not None
    )


def _receipt_path(name: str, weights_dir: Path) -> Path:
    return catalogue_dir(weights_dir) / f"{name}.json"
