"""`vultus hold`, on a real database."""

import json

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import HoldNotFound
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.journal.opening import journal_of
from app.gallery.records import NewIdentity
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.settings import Settings
from tests.gallery.factories import COLLECTION, MODEL

RUN = CliRunner()


@pytest.fixture
def person() -> str:
    settings = Settings()
    database = Database(settings.resolved_database_url, timeout_s=60)
    database.journal = journal_of(settings)
    database.upgrade()
    gallery = Gallery(database, IndexSync(database, FaissIndex), MODEL)
    gallery.open()
    made, _ = gallery.people.enroll(COLLECTION, NewIdentity(external_id="emp-1"), [])
    gallery.close()
    return made.id


def test_a_person_is_held_listed_and_released(person: str) -> None:
    words = ["hold", "set", "ext:emp-1", "--reason", "case [red]1\x1b[2J"]
    held = RUN.invoke(cli, words, catch_exceptions=False)
    assert person in held.stdout
    listed = RUN.invoke(cli, ["hold", "list"], catch_exceptions=False).stdout
    assert "emp-1" in listed
    assert "[red]" in listed
    assert "\x1b[2J" not in listed
    (one,) = json.loads(RUN.invoke(cli, ["hold", "list", "--json"]).stdout)["held"]
    assert (one["identity_id"], one["collection"]) == (person, COLLECTION)
    assert one["hold"]["principal"].startswith("cli:")
    assert RUN.invoke(cli, ["hold", "lift", person], catch_exceptions=False).exit_code == 0
    assert json.loads(RUN.invoke(cli, ["hold", "list", "--json"]).stdout) == {"held": []}
    assert isinstance(RUN.invoke(cli, ["hold", "lift", person]).exception, HoldNotFound)


@pytest.mark.usefixtures("person")
def test_a_hold_without_a_reason_is_refused() -> None:
    assert RUN.invoke(cli, ["hold", "set", "ext:emp-1", "--reason", " "]).exit_code == 2
