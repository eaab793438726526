"""`--quality-filter` of the commands does what the API's option does."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageFilter
from typer.testing import CliRunner, Result

from app.cli.main import cli
from tests.api.people import lines
from tests.kit import photos

RUN = CliRunner()


@pytest.fixture
def blurred(tmp_path: Path) -> Path:
    """A bad photo of somebody, in a folder of their own."""
    path = tmp_path / "people" / "Eileen_Collins" / "blurred.png"
    path.parent.mkdir(parents=True)
    made = photos.astronaut().filter(ImageFilter.GaussianBlur(6))
    path.write_bytes(photos.encoded(made, "PNG"))
    return path


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return RUN.invoke(cli, list(map(str, arguments)), input=stdin)


def answer_of(result: Result) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_folder_is_held_to_auto_and_identify_to_the_floor(blurred: Path) -> None:
    people = blurred.parent.parent
    refused = answer_of(run("enroll-folder", people, "--json"))
    assert (refused["people"], refused["faces"]) == (0, 0)
    assert refused["rejected"] == [
        {"photo": "Eileen_Collins/blurred.png", "reasons": ["low_sharpness"]}
    ]
    taken = answer_of(run("enroll-folder", people, "--json", "--quality-filter", "none"))
    assert (taken["people"], taken["faces"], taken["rejected"]) == (1, 1, [])

    lenient = run("identify", blurred, "--json", "--quality-filter", "none")
    (found,) = answer_of(lenient)["faces"]
    assert (found["status"], found["reasons"]) == ("match", [])
    assert (found["fpir"], found["rate_reason"]) == (None, "low_quality")
    (face,) = answer_of(run("identify", blurred, "--json"))["faces"]
    assert (face["status"], face["reasons"]) == ("rejected", ["low_sharpness"])
    assert (face["identity"], face["similarity"]) == (None, None)
    assert face["quality"] == found["quality"] < 20


def test_batch_is_held_to_the_option_where_a_line_does_not_say(blurred: Path) -> None:
    images = [b64encode(blurred.read_bytes()).decode("ascii")]
    body = lines(
        {"external_id": "1", "images": images},
        {"external_id": "2", "images": images, "quality_filter": "auto"},
    )
    lenient = run("enroll-batch", "-", "--json", "--quality-filter", "none", stdin=body)
    answers = [json.loads(line) for line in lenient.stdout.splitlines()]
    assert [(one["status"], one["code"]) for one in answers] == [
        ("enrolled", None),
        ("rejected", "low_sharpness"),
    ]


def test_verify_rejects_a_bad_photo_unless_quality_does_not_matter(blurred: Path) -> None:
    decided = run("verify", blurred, blurred, "--json", "--quality-filter", "none")
    assert decided.exit_code == 0
    assert (answer_of(decided)["fmr"], answer_of(decided)["rate_reason"]) == (None, "low_quality")
    refused = run("verify", blurred, blurred, "--json")
    assert refused.exit_code == 4
    body = answer_of(refused)
    assert (body["status"], body["similarity"]) == ("rejected", None)
    assert [one["reasons"] for one in body["rejected"]] == [["low_sharpness"]] * 2
    text = run("verify", blurred, blurred)
    assert text.exit_code == 4
    assert text.stdout.startswith(f"rejected {blurred}: ")
    assert "the face is blurred" in text.stdout
