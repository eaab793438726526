"""`vultus`: all commands, one file each."""

import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from app.cli.output import print_error
from app.errors import VultusError

_COMMANDS = {  # file and name in it
    "serve": ("serve", "serve"),
    "top": ("top", "top"),
    "enroll-folder": ("enroll_folder", "enroll_folder"),
    "enroll-batch": ("enroll_batch", "enroll_batch"),
    "identify": ("identify", "identify"),
    "verify": ("verify", "verify"),
    "calibrate": ("calibrate", "calibrate"),
    "evaluate": ("evaluate", "evaluate"),
    "train": ("train", "train"),
    "tune": ("tune", "tune"),
    "export": ("transfer", "export"),
    "import": ("transfer", "import_"),
    "db": ("database", "cli"),
    "index": ("index", "cli"),
    "gallery": ("gallery", "cli"),
    "reembed": ("reembed", "cli"),
    "models": ("networks", "cli"),
}


class _OnDemand(TyperGroup):
    """Imports a command when it is called for: PyTorch alone takes seconds, and `top` needs none.

    All of them are imported for a list, as of the help, and when a name is none of theirs.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  (Typer keeps its type)
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.commands[name] = _imported(name)
        return self.commands.get(cmd_name)


cli = typer.Typer(
    name="vultus",
    cls=_OnDemand,
    help="Self-hosted face recognition. Settings come from VULTUS_... variables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@cli.callback()
def _group() -> None:
    """Makes it a group, although it knows no command yet."""


def main() -> None:
    """Run a command; what goes wrong on purpose is one line on standard error and exit status 1."""
    os.umask(0o077)  # the database holds biometric data: nobody else on the machine reads it
    try:
        cli()
    except VultusError as error:
        print_error(error)
        sys.exit(1)


def _imported(name: str) -> Any:  # noqa: ANN401
    file, attribute = _COMMANDS[name]
    found = getattr(import_module(f"app.cli.{file}"), attribute)
    alone = typer.Typer(pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]


if __name__ == "__main__":
    main()
