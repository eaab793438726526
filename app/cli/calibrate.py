"""`vultus calibrate`."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli.output import print_json, results
from app.cli.session import with_services
from app.gallery.service import DEFAULT_COLLECTION
from app.services import Services
from models.evaluation.calibration import SimilarityMap

_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def calibrate(
    collection: Annotated[
        str, typer.Option(help="Measure the people enrolled in it.")
    ] = DEFAULT_COLLECTION,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how alike strangers are in a collection, and decide by that from now on."""

    async def use(services: Services) -> SimilarityMap:
        return services.calibrator.calibrate(collection)

    measured = with_services(use)
    if as_json:
        print_json(measured.to_json())
    else:
        results.print(_table(measured))


def _table(measured: SimilarityMap) -> Table:
    table = Table(
        "false match rate",
        "similarity",
        "95 % interval of the rate",
        title=f"{measured.people:,} people, {measured.pairs:,} pairs of strangers",
        caption=f"measured up to a similarity of {measured.data_ends:.4f}; above it, estimated",
    )
    for fmr in _FMRS:
        similarity = measured.threshold(fmr)
        rate = measured.fmr(similarity)
        table.add_row(f"{fmr:g}", f"{similarity:.4f}", f"{rate.low:.1e} to {rate.high:.1e}")
    return table
