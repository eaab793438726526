"""Where commands print: results to standard output, everything else to standard error."""

import json

from rich.console import Console

results = Console()
errors = Console(stderr=True)


def print_json(value: object) -> None:
    """One JSON document on standard output, for scripts."""
    print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
