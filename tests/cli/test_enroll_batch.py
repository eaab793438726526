"""`vultus enroll-batch`: what the batch of the API does, from a file or a pipe."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from app.cli.main import cli, main
from tests.api.people import as_base64, embedding, lines

RUN = CliRunner()
GOOD = lines(
    {"external_id": "1", "embeddings": [embedding(1)]},
    {"external_id": "2", "embeddings": [as_base64(embedding(2))]},
)
BAD = b'{"external_id": "3", "embeddings": [[1.0]]}\n\n{"nom": "Ada"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.jsonl"


def _run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return RUN.invoke(cli, ["enroll-batch", *map(str, arguments)], input=stdin)


def _told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_file_is_enrolled_line_by_line_and_safely_again(file: Path) -> None:
    file.write_bytes(GOOD)
    first = _run(file, "--json")
    assert first.exit_code == 0, first.output
    assert [(line["index"], line["status"]) for line in _told(first)] == [
        (0, "enrolled"),
        (1, "enrolled"),
    ]
    file.write_bytes(GOOD + BAD)
    again = _run(file, "--json")
    assert again.exit_code == 3
    assert [(line["status"], line["code"]) for line in _told(again)] == [
        ("exists", None),
        ("exists", None),
        ("rejected", "invalid_request"),
        ("rejected", "invalid_request"),
    ]
    assert [line["identity_id"] for line in _told(again)[:2]] == [
        line["identity_id"] for line in _told(first)
    ]


def test_summary_for_people_names_every_rejected_line(file: Path) -> None:
    file.write_bytes(GOOD + BAD)
    result = _run(file)
    assert result.exit_code == 3
    assert "not enrolled: line 3 (3): invalid_request (an embedding must be 128" in result.stdout
    assert "not enrolled: line 4: invalid_request (nom: " in result.stdout
    for outcome in ("people enrolled", "faces enrolled", "rejected: invalid_request"):
        assert re.search(rf"{outcome} +│ 2 ", result.stdout), result.stdout
    assert "lines" in result.stderr


def test_standard_input_is_read_and_only_results_reach_standard_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also on a terminal, where the progress is drawn meanwhile."""
    terminal = Console(stderr=True, force_terminal=True)
    monkeypatch.setattr("app.cli.people.enroll_batch.errors", terminal)
    result = _run("-", "--json", stdin=GOOD)
    assert result.exit_code == 0, result.output
    assert [line["status"] for line in _told(result)] == ["enrolled", "enrolled"]
    assert "enrolling" in result.stderr


def test_file_that_is_not_there_is_a_wrong_argument(file: Path) -> None:
    result = _run(file)
    assert result.exit_code == 2
    assert "No such file" in result.stderr


@pytest.mark.parametrize(
    ("body", "variables", "code"),
    [
        (b"", {}, "collection_not_found"),
        (b"x" * 10_001, {"VULTUS_LIMITS__MAX_REQUEST_BYTES": "10000"}, "request_too_large"),
    ],
)
def test_what_goes_wrong_is_one_line(
    file: Path,
    body: bytes,
    variables: dict[str, str],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file.write_bytes(body)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    collection = ["--collection", "nowhere"] if not variables else []
    monkeypatch.setattr("sys.argv", ["vultus", "enroll-batch", str(file), *collection])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(code)
