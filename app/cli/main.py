"""`vultus`: all commands, one file each."""

import os
import sys

import typer

from app.cli import (
    calibrate,
    database,
    enroll_batch,
    enroll_folder,
    evaluate,
    gallery,
    identify,
    index,
    reembed,
    serve,
    top,
    transfer,
    verify,
)
from app.cli.output import print_error
from app.errors import VultusError

cli = typer.Typer(
    name="vultus",
    help="Self-hosted face recognition. Settings come from VULTUS_... variables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command("serve")(serve.serve)
cli.command("top")(top.top)
cli.command("enroll-folder")(enroll_folder.enroll_folder)
cli.command("enroll-batch")(enroll_batch.enroll_batch)
cli.command("identify")(identify.identify)
cli.command("verify")(verify.verify)
cli.command("calibrate")(calibrate.calibrate)
cli.command("evaluate")(evaluate.evaluate)
cli.command("export")(transfer.export)
cli.command("import")(transfer.import_)
cli.add_typer(database.cli, name="db")
cli.add_typer(index.cli, name="index")
cli.add_typer(reembed.cli, name="reembed")
cli.add_typer(gallery.cli, name="gallery")


def main() -> None:
    """Run a command; what goes wrong on purpose is one line on standard error and exit status 1."""
    os.umask(0o077)  # the database holds biometric data: nobody else on the machine reads it
    try:
        cli()
    except VultusError as error:
        print_error(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
