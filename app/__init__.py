"""Vultus: a self-hosted face recognition server."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("vultus")
except PackageNotFoundError:  # running from a checkout that was never installed
    __version__ = "0+unknown"
