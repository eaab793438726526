"""Names that a gallery is born with."""

from typing import Final

DEFAULT_COLLECTION: Final = "default"
"""The collection that is there from the start."""
