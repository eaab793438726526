"""`vultus`: all commands, one file each."""

import os
import sys

import typer

from app.cli import database, enroll_folder, identify, serve, verify
from app.cli.output import errors
from app.errors import VultusError

cli = typer.Typer(
    name="vultus",
    help="Self-hosted face recognition. Settings come from VULTUS_... variables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command("serve")(serve.serve)
cli.command("enroll-folder")(enroll_folder.enroll_folder)
cli.command("identify")(identify.identify)
cli.command("verify")(verify.verify)
cli.add_typer(database.cli, name="db")


def main() -> None:
    """Run a command; what goes wrong on purpose is one line on standard error and exit status 1."""
    os.umask(0o077)  # the database holds biometric data: nobody else on the machine reads it
    try:
        cli()
    except VultusError as error:
        errors.print(f"[bold red]{error.code}[/]: ", end="")
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
