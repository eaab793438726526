"""Make help texts fill the terminal, whose width differs from that of the source."""

from inspect import cleandoc

import typer


def set_help_texts(cli: typer.Typer) -> None:
    """Set the help text of each command and group to its docstring, a line for each paragraph."""
    for command in cli.registered_commands:
        if command.callback is not None:
            command.help = _flowing(command.callback.__doc__)
    if cli.registered_callback is not None and cli.registered_callback.callback is not None:
        cli.registered_callback.help = _flowing(cli.registered_callback.callback.__doc__)
    for group in cli.registered_groups:
        if group.typer_instance is not None:
            set_help_texts(group.typer_instance)


def _flowing(text: str | None) -> str:
    paragraphs = cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
