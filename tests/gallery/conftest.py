"""Galleries on a migrated, empty database of each kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from app.gallery.database import Database
from app.gallery.service import Gallery
from tests.gallery.factories import new_gallery

OpenGallery = Callable[..., Gallery]
"""Takes the options of `new_gallery`; stands for a process that starts on the database."""


@pytest.fixture
def open_gallery(database_url: str, database: Database) -> Iterator[OpenGallery]:  # noqa: ARG001
    """Every gallery from here has connections and an index of its own, as a process would."""
    with ExitStack() as stack:

        def open_one(**options: object) -> Gallery:
            own = Database(database_url, timeout_s=10)
            stack.callback(own.close)
            gallery = new_gallery(own, **options)  # type: ignore[arg-type]
            gallery.open()
            return gallery

        yield open_one


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()
