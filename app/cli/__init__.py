"""The command line: the use cases of the API, without a server."""

from app.cli.main import main

__all__ = ["main"]
