"""`vultus`: all commands, in panels."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from app import __version__
from app.cli.commands import (
    access_commands,
    accuracy_commands,
    corrections_commands,
    networks_commands,
    people_commands,
    service_commands,
    training_commands,
    upkeep_commands,
)
from app.cli.commands.audit_commands import audit
from app.cli.commands.collections_commands import collections
from app.cli.commands.encrypt_commands import encrypt
from app.cli.commands.hold_commands import hold
from app.cli.commands.import_from_commands import import_from
from app.cli.commands.keys_commands import keys
from app.cli.commands.liveness_commands import liveness
from app.cli.commands.reembed_commands import reembedding
from app.cli.commands.webhooks_commands import webhooks
from app.cli.help_texts import set_help_texts
from app.cli.output import print_error
from app.errors import InvalidRequest, VultusError

_RUN = "Run the service"
_PEOPLE = "Enroll and recognise people"
_UPKEEP = "Look after what is stored"
_ACCURACY = "Measure accuracy"
_NETWORKS = "Networks"

cli = typer.Typer(name="vultus", no_args_is_help=True, pretty_exceptions_enable=False)
cli.command("serve", rich_help_panel=_RUN)(service_commands.serve)
cli.command("demo", rich_help_panel=_RUN)(service_commands.demo)
cli.command("top", rich_help_panel=_RUN)(service_commands.top)
cli.command("plan", rich_help_panel=_RUN)(service_commands.plan)
cli.command("enroll-folder", rich_help_panel=_PEOPLE)(people_commands.enroll_folder)
cli.command("enroll-batch", rich_help_panel=_PEOPLE)(people_commands.enroll_batch)
cli.command("identify", rich_help_panel=_PEOPLE)(people_commands.identify)
cli.command("verify", rich_help_panel=_PEOPLE)(people_commands.verify)
cli.add_typer(collections, name="collections", rich_help_panel=_UPKEEP)
cli.add_typer(keys, name="keys", rich_help_panel=_UPKEEP)
cli.add_typer(webhooks, name="webhooks", rich_help_panel=_UPKEEP)
cli.add_typer(hold, name="hold", rich_help_panel=_UPKEEP)
upkeep_commands.gallery.command("merge")(corrections_commands.merge)
upkeep_commands.gallery.command("move")(corrections_commands.move)
upkeep_commands.gallery.command("delete-face")(corrections_commands.delete_face)
upkeep_commands.gallery.command("dismiss")(corrections_commands.dismiss)
cli.add_typer(upkeep_commands.gallery, name="gallery", rich_help_panel=_UPKEEP)
cli.command("export", rich_help_panel=_UPKEEP)(people_commands.export)
cli.command("export-person", rich_help_panel=_UPKEEP)(access_commands.export_person)
cli.command("import", rich_help_panel=_UPKEEP)(people_commands.import_)
cli.add_typer(import_from, name="import-from", rich_help_panel=_UPKEEP)
cli.add_typer(service_commands.index, name="index", rich_help_panel=_UPKEEP)
cli.command("compact", rich_help_panel=_UPKEEP)(upkeep_commands.compact)
cli.command("sweep", rich_help_panel=_UPKEEP)(upkeep_commands.sweep)
cli.add_typer(upkeep_commands.db, name="db", rich_help_panel=_UPKEEP)
cli.add_typer(encrypt, name="encrypt", rich_help_panel=_UPKEEP)
cli.add_typer(audit, name="audit", rich_help_panel=_UPKEEP)
cli.command("calibrate", rich_help_panel=_ACCURACY)(accuracy_commands.calibrate)
cli.command("evaluate", rich_help_panel=_ACCURACY)(accuracy_commands.evaluate)
cli.add_typer(liveness, name="liveness", rich_help_panel=_ACCURACY)
cli.command("tune", rich_help_panel=_NETWORKS)(training_commands.tune)
cli.command("train", rich_help_panel=_NETWORKS)(training_commands.train)
cli.add_typer(networks_commands.models, name="models", rich_help_panel=_NETWORKS)
cli.add_typer(reembedding, name="reembed", rich_help_panel=_NETWORKS)


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
    """Run a command. An expected error is one line on standard error, with exit status 1."""
    os.umask(0o077)  # the database holds biometric data: only this user may read it
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # letters that the terminal lacks are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        cli()
    except VultusError as error:
        print_error(error)
        sys.exit(1)
    except OSError as error:  # a file of the user that cannot be read or written
        print_error(InvalidRequest(str(error)))
        sys.exit(1)


if __name__ == "__main__":
    main()
