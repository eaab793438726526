"""`vultus liveness`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson, rate

liveness = typer.Typer(
    no_args_is_help=True,
    help="Score whether a camera saw the faces themselves; see docs/liveness.md.",
)


@liveness.command()
def score(
    photos: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Photos.")],
    as_json: AsJson = False,
) -> None:
    """Score the largest face of each photo, 0 (an attack) to 1 (genuine).

    Exit status 0: all are scored, 3: some are not; they are listed with the reason.
    """
    from app.cli.science.liveness import score as run

    run(photos, as_json=as_json)


@liveness.command()
def fit(
    genuine: Annotated[
        Path,
        typer.Option(
            exists=True, file_okay=False, help="Folder of captures of people, by your camera."
        ),
    ],
    attacks: Annotated[
        Path,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of captures of attacks by the same camera, one folder for each kind.",
        ),
    ],
    target_bpcer: Annotated[
        float,
        typer.Option(
            parser=rate, help="Largest share of genuine captures that may be turned away."
        ),
    ] = 0.01,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the setting only; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the threshold on your own captures, and measure its error rates (ISO/IEC 30107-3).

    The threshold is kept in the data folder; the server reads it when it starts.
    VULTUS_LIVENESS__THRESHOLD overrides it.
    """
    from app.cli.science.liveness import fit as run

    run(genuine, attacks, target_bpcer=target_bpcer, dry_run=dry_run, as_json=as_json)
