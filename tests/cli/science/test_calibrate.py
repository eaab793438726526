"""`vultus calibrate`, on real photos and on people who are enrolled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from typer.testing import CliRunner

from app.cli.main import cli
from app.operations.policy.calibrator import load_map
from tests.kit import photos

RUN = CliRunner()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Sixty folders: two people, disguised by light and turns, under names of their own."""
    folder = tmp_path / "people"
    for number in range(60):
        original = photos.astronaut() if number % 2 else photos.hopper()
        smaller = original.resize((original.width // 2, original.height // 2))
        turned = smaller.rotate(number / 3 - 10, resample=Image.Resampling.BICUBIC)
        changed = ImageEnhance.Brightness(turned).enhance(0.6 + number / 100)
        path = folder / f"person {number}" / "1.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(photos.encoded(changed))
    return folder


def _enroll(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(1)
    lines = [
        {"external_id": str(number), "embeddings": [rng.normal(size=128).tolist()]}
        for number in range(count)
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert RUN.invoke(cli, ["enroll-batch", str(path)]).exit_code == 0


def _json(*arguments: str | Path) -> dict[str, Any]:
    result = RUN.invoke(cli, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_folder_calibrates_the_embedder_from_then_on(people: Path, tmp_path: Path) -> None:
    photo = people / "person 0" / "1.jpg"
    before = RUN.invoke(cli, ["verify", str(photo), str(photo), "--json"])
    out = tmp_path / "calibration.json"
    measured = _json("calibrate", people, "--out", out)
    assert (measured["people"], measured["photos"], measured["pairs"]) == (60, 60, 60 * 59 // 2)
    assert load_map(out).to_json() == measured
    again = RUN.invoke(cli, ["verify", str(photo), str(photo), "--json"])
    assert json.loads(again.stdout) == json.loads(before.stdout)  # --out changes nothing here

    assert _json("calibrate", people) == measured
    after = json.loads(RUN.invoke(cli, ["verify", str(photo), str(photo), "--json"]).stdout)
    # Of these "strangers", half are one person: only the very same photo is safe.
    assert after["threshold"] > json.loads(before.stdout)["threshold"]


def test_collection_is_calibrated_on_its_people(tmp_path: Path) -> None:
    _enroll(tmp_path, 60)
    measured = _json("calibrate", "--collection", "default")
    assert (measured["people"], measured["source"]) == (60, "the people enrolled in 'default'")
    table = RUN.invoke(cli, ["calibrate"])
    assert table.exit_code == 0
    assert "60 people" in table.stdout


def test_too_few_people_are_refused_with_their_number(tmp_path: Path) -> None:
    _enroll(tmp_path, 3)
    result = RUN.invoke(cli, ["calibrate"])
    assert result.exit_code == 1
    assert "3 people are too few" in str(result.exception)


@pytest.mark.parametrize(
    "arguments", [["--out", "x.json"], ["FOLDER", "--collection", "default"], ["--faces", "single"]]
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], people: Path) -> None:
    filled = [str(people) if argument == "FOLDER" else argument for argument in arguments]
    assert RUN.invoke(cli, ["calibrate", *filled]).exit_code == 2
