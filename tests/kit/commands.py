"""Commands, run in the process of the test."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from app.cli.main import cli

RUNNER = CliRunner()


def run_command(*words: str, answer: str | None = None) -> Result:
    """Run `vultus` with these words, and `answer` on its standard input.

    What it raises is raised, but for its exit.
    """
    result = RUNNER.invoke(cli, words, input=answer)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def json_of_command(*words: str) -> Any:
    """What a command prints with `--json`."""
    return json.loads(run_command(*words, "--json").stdout)
