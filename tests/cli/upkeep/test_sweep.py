"""`vultus sweep`, on a real database."""

import json
from datetime import UTC, datetime

from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.open_database import open_database
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.records import NewIdentity
from app.gallery.retention.clock_reading import ClockReading
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
