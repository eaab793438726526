"""Arguments of a command, checked as the API checks the same request."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError


@contextmanager
def checking_arguments() -> Iterator[None]:
    """Report values that the API refuses as wrong arguments of the command."""
    try:
        yield
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        text = wrong["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(f"{place}: {text}" if place else text) from error
