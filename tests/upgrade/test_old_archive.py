"""An archive that `vultus export` of version 0.1.0 wrote is imported."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli.main import cli
from app.main import create_app
from app.settings import Settings
from tests.cases import case
from tests.upgrade.old_files import (
    DECISIONS,
    NOISE,
    PEOPLE,
    SIMILARITIES,
    UNKNOWNS,
    people_of,
    similarities_of_eileen,
)

RUN = CliRunner()


def _import(tmp_path: Path) -> dict[str, Any]:
    archive = tmp_path / "archive.zip"
    archive.write_bytes(case("archive-0.1.0.zip"))
    done = RUN.invoke(cli, ["import", str(archive), "--json"])
    assert done.exit_code == 0, done.output
    (collection,) = json.loads(done.stdout)["collections"]
    counts: dict[str, Any] = collection
    return counts


@pytest.mark.usefixtures("as_before")
def test_people_and_options_of_an_old_archive_come_back_as_they_were(tmp_path: Path) -> None:
    first = _import(tmp_path)
    assert (first["identities"], first["faces"], first["skipped"]) == (2, 2, [])
    with TestClient(create_app(Settings())) as client:
        options = client.get("/v1/collections/staff").json()["options"]
        assert people_of(client, "staff") == PEOPLE
        similarities = similarities_of_eileen(client, "staff")
    assert options["decisions"].items() >= DECISIONS.items()
    assert options["unknowns"].items() >= UNKNOWNS.items()
    assert similarities == pytest.approx(SIMILARITIES, abs=NOISE)


def test_an_old_archive_is_imported_again_without_a_change(tmp_path: Path) -> None:
    _import(tmp_path)
    again = _import(tmp_path)
    assert (again["identities"], again["faces"], again["known_before"]) == (0, 0, 2)
