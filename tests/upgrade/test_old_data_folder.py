"""A data folder of version 0.1.0 is served: its database, index snapshot and encrypted crops."""

import io
import json
import zipfile
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli.main import cli
from app.main import create_app
from app.settings import Settings
from tests.cases import case
from tests.upgrade.old_files import (
    CROPS_KEY,
    NOISE,
    PEOPLE,
    SIMILARITIES,
    people_of,
    similarities_of_eileen,
)

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _old_folder(data_dir: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(case("data-folder-0.1.0.zip"))) as files:
        files.extractall(data_dir)


@pytest.mark.usefixtures("as_before")
def test_an_index_is_restored_from_its_old_snapshot() -> None:
    application = create_app(Settings())
    structlog.reset_defaults()
    with capture_logs() as logs, TestClient(application) as client:
        assert similarities_of_eileen(client, "staff") == pytest.approx(SIMILARITIES, abs=NOISE)
        assert people_of(client, "staff") == PEOPLE
    (restored,) = [line for line in logs if line["event"] == "index_restored"]
    assert (restored["faces"], restored["from_revision"]) == (2, 2)
    assert [line for line in logs if line["event"] == "snapshot_not_used"] == []


def test_old_crops_are_embedded_anew_without_their_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VULTUS_CROPS_KEY", CROPS_KEY)
    done = RUN.invoke(cli, ["reembed", "--to", "sface", "--collection", "staff", "--json"])
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert (counts["faces"], counts["without_second"]) == (2, 0)
