"""Galleries on a migrated, empty database of each kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from app.gallery.database import Database
from app.gallery.service import Gallery
from tests.gallery.factories import new_gallery

Connect = Callable[..., Database]
"""Connects once more to the test's database; `timeout_s` is 10 if not given."""

OpenGallery = Callable[..., Gallery]
"""Takes the options of `new_gallery`; stands for a process that starts on the database."""


@pytest.fixture
def connect(database_url: str) -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect_once(*, timeout_s: float = 10) -> Database:
            database = Database(database_url, timeout_s=timeout_s)
            stack.callback(database.close)
            return database

        yield connect_once


@pytest.fixture
def open_gallery(connect: Connect, database: Database) -> OpenGallery:  # noqa: ARG001
    """Every gallery from here has connections and an index of its own, as a process would."""

    def open_one(**options: object) -> Gallery:
        gallery = new_gallery(connect(), **options)  # type: ignore[arg-type]
        gallery.open()
        return gallery

    return open_one


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()
