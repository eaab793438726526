"""The command line: the same use cases as HTTP, without the server."""

from app.cli.main import main

__all__ = ["main"]
