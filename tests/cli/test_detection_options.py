"""Options of commands about finding faces do what the fields of the API do."""

from pathlib import Path

from typer.testing import CliRunner, Result

from app.cli.main import cli
from tests.kit import photos


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def test_a_face_below_the_least_score_is_not_identified(tmp_path: Path) -> None:
    tilted = tmp_path / "tilted.png"
    tilted.write_bytes(photos.encoded(photos.astronaut().rotate(25), "PNG"))
    assert "No face was found." in _run("identify", tilted, "--min-detection-score=0.9999").stdout


def test_crops_of_faces_are_compared(tmp_path: Path) -> None:
    crop = tmp_path / "crop.png"
    crop.write_bytes(photos.encoded(photos.hopper().crop((225, 110, 375, 315)), "PNG"))
    coffee = tmp_path / "coffee.png"
    coffee.write_bytes(photos.encoded(photos.coffee(), "PNG"))
    assert _run("verify", crop, crop, "--face-crops").exit_code == 0
    assert _run("verify", crop, coffee, "--face-crops").exit_code in {3, 4}
