"""`vultus compact`, on a real database."""

import json

from typer.testing import CliRunner

from app.cli.main import cli

RUN = CliRunner()


def test_what_remains_is_printed_in_words_and_as_json() -> None:
    printed = RUN.invoke(cli, ["compact"], catch_exceptions=False).stdout
    assert "- backups: Backups of the database" in printed
    answer = json.loads(RUN.invoke(cli, ["compact", "--json"], catch_exceptions=False).stdout)
    assert answer["compacted"] is True
    assert [one["where"] for one in answer["remains"]] == ["backups"]
