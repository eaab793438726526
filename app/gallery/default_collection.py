"""The collection that every gallery has from the start."""

from typing import Final

DEFAULT_COLLECTION: Final = "default"
