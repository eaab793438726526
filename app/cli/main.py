"""`vultus`: all commands, in panels."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from app import __version__
from app.cli.commands import accuracy, corrections, networks, people, service, upkeep
from app.cli.commands.collections import collections
from app.cli.commands.liveness import liveness
from app.cli.help_texts import set_help_texts
from app.cli.output import print_error
from app.errors import InvalidRequest, VultusError

_RUN = "Run the service"
_PEOPLE = "Enroll and recognise people"
_UPKEEP = "Look after what is stored"
_ACCURACY = "Measure accuracy"
_NETWORKS = "Networks"

cli = typer.Typer(name="vultus", no_args_is_help=True, pretty_exceptions_enable=False)
cli.command("serve", rich_help_panel=_RUN)(service.serve)
cli.command("top", rich_help_panel=_RUN)(service.top)
cli.command("enroll-folder", rich_help_panel=_PEOPLE)(people.enroll_folder)
cli.command("enroll-batch", rich_help_panel=_PEOPLE)(people.enroll_batch)
cli.command("identify", rich_help_panel=_PEOPLE)(people.identify)
cli.command("verify", rich_help_panel=_PEOPLE)(people.verify)
cli.add_typer(collections, name="collections", rich_help_panel=_UPKEEP)
upkeep.gallery.command("merge")(corrections.merge)
upkeep.gallery.command("move")(corrections.move)
upkeep.gallery.command("delete-face")(corrections.delete_face)
cli.add_typer(upkeep.gallery, name="gallery", rich_help_panel=_UPKEEP)
cli.command("export", rich_help_panel=_UPKEEP)(people.export)
cli.command("import", rich_help_panel=_UPKEEP)(people.import_)
cli.add_typer(service.index, name="index", rich_help_panel=_UPKEEP)
cli.add_typer(upkeep.db, name="db", rich_help_panel=_UPKEEP)
cli.command("calibrate", rich_help_panel=_ACCURACY)(accuracy.calibrate)
cli.command("evaluate", rich_help_panel=_ACCURACY)(accuracy.evaluate)
cli.add_typer(liveness, name="liveness", rich_help_panel=_ACCURACY)
cli.command("tune", rich_help_panel=_NETWORKS)(networks.tune)
cli.command("train", rich_help_panel=_NETWORKS)(networks.train)
cli.add_typer(networks.models, name="models", rich_help_panel=_NETWORKS)
cli.add_typer(networks.reembedding, name="reembed", rich_help_panel=_NETWORKS)


def _print_version(value: bool) -> None:
    if value:
        print(f"vultus {__version__}")  # noqa: T201
        raise typer.Exit


@cli.callback()
def _vultus(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Self-hosted face recognition. Settings come from VULTUS_... variables or a file .env."""


set_help_texts(cli)


def main() -> None:
    """Run a command; what goes wrong on purpose is one line on standard error and exit status 1."""
    os.umask(0o077)  # the database holds biometric data: nobody else on the machine reads it
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what the terminal has no letters for is shown
            stream.reconfigure(errors="backslashreplace")
    try:
        cli()
    except VultusError as error:
        print_error(error)
        sys.exit(1)
    except OSError as error:  # a file of the user's that cannot be read or written
        print_error(InvalidRequest(str(error)))
        sys.exit(1)


if __name__ == "__main__":
    main()
