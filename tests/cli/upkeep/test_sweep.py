"""`vultus sweep`, on a real database."""

import json
from datetime import UTC, datetime, timedelta

from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.open_database import open_database
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.records import NewIdentity
from app.gallery.retention.clock_reading import ClockReading
from app.gallery.store.gallery_store import Store
from app.gallery.sync.index_sync import IndexSync
from tests.gallery.factories import COLLECTION, MODEL

RUN = CliRunner()
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def test_what_waits_is_shown_until_the_clock_is_confirmed() -> None:
    with open_database(upgrade=True) as (_, database):
        gallery = Gallery(database, IndexSync(database, FaissIndex), MODEL)
        gallery.open()
        gallery.people.enroll(COLLECTION, NewIdentity(expires_at=datetime.now(UTC)), [])
        with gallery.store.writing_all() as collections:
            collections.clock.set(ClockReading(LONG_AGO, 1.0, None))
    shown = RUN.invoke(cli, ["sweep"], catch_exceptions=False).stdout
    assert "1 people of default wait" in shown
    assert "vultus sweep --confirm" in shown
    state = json.loads(RUN.invoke(cli, ["sweep", "--json"], catch_exceptions=False).stdout)
    assert (state["state"], state["why"]) == ("waits", "long_stop")
    RUN.invoke(cli, ["sweep", "--confirm"], catch_exceptions=False)
    state = json.loads(RUN.invoke(cli, ["sweep", "--json"], catch_exceptions=False).stdout)
    assert (state["state"], state["waiting"]) == ("goes_on", [])


def test_clock_behind_the_newest_that_was_believed_is_shown_until_it_is_confirmed() -> None:
    ahead = datetime.now(UTC) + timedelta(days=3_650)
    with open_database(upgrade=True) as (_, database), Store(database).writing_all() as collections:
        collections.clock.set(ClockReading(ahead, 1.0, None))
    shown = RUN.invoke(cli, ["sweep"], catch_exceptions=False).stdout
    assert f"believed at {ahead:%Y-%m-%d %H:%M:%S}" in shown
    assert "vultus sweep --confirm" in shown
    RUN.invoke(cli, ["sweep", "--confirm"], catch_exceptions=False)
    state = json.loads(RUN.invoke(cli, ["sweep", "--json"], catch_exceptions=False).stdout)
    assert (state["state"], state["behind"]) == ("goes_on", None)
