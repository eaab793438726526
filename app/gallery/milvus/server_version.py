"""The versions of Milvus that are supported."""

import re

OLDEST = (2, 3)
"""The oldest that was run."""
NEWEST = (2, 6)
"""That of the client: with a server that was newer than its client, filtered searches lost rows."""


def why_unsupported(version: str) -> str | None:
    """Return what is wrong with a server's version, and the remedy; None if it is supported.

    A version in which no number is found, as a cloud service may have, is taken to be supported.
    """
    found = re.search(r"(\d+)\.(\d+)", version)
    if found is None or OLDEST <= (int(found[1]), int(found[2])) <= NEWEST:
        return None
    supported = f"{_text(OLDEST)} to {_text(NEWEST)}"
    return f"Milvus {version.strip()} is not supported; run one of the versions {supported}"


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
