"""`vultus liveness`: scores of photos, and a threshold fitted on own captures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.errors import LivenessNotMeasurable, LivenessOff, NetworkNotFetched, SettingUnusable
from app.recognition.liveness.load_liveness import load_liveness
from app.settings import LivenessSettings, Settings
from tests.kit import photos
from tests.kit.catalogue_cards import catalogue_of
from tests.kit.liveness_graphs import fetched_liveness

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _liveness_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One network, whose score is the higher, the redder a crop is."""
    monkeypatch.setenv("VULTUS_LIVENESS__NAME", "near")
    card = fetched_liveness(tmp_path / "data" / "weights", "near", (-4.0, 0.0, 4.0))
    with catalogue_of(tmp_path / "cards", card):
        yield


def _tinted(red: float) -> Image.Image:
    """The astronaut, small, in light that is so much redder."""
    small = photos.astronaut().resize((256, 256))
    changed = np.asarray(small) * np.array([red, 1.0, 1 / red])
    return Image.fromarray(changed.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 genuine captures in reddish light, one without a face, and two kinds of bluish attacks."""
    folder = tmp_path_factory.mktemp("captures")
    contents = {
        **{f"genuine/day{i % 2}/{i}.jpg": _tinted(1.0 + i / 100) for i in range(40)},
        "genuine/coffee.jpg": photos.coffee(),
        **{f"attacks/print/{i}.jpg": _tinted(0.75 + i / 200) for i in range(30)},
        **{f"attacks/screen/{i}.jpg": _tinted(0.85 + i / 100) for i in range(30)},
    }
    for name, picture in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photos.encoded(picture))
    return folder


def _fit(captures: Path, *options: str) -> Result:
    folders = ["--genuine", str(captures / "genuine"), "--attacks", str(captures / "attacks")]
    return RUN.invoke(cli, ["liveness", "fit", *folders, *options])


def _score(*paths: Path) -> tuple[int, list[dict[str, Any]]]:
    done = RUN.invoke(cli, ["liveness", "score", *map(str, paths), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_fit_keeps_the_threshold_of_the_wanted_bpcer_which_then_decides(
    captures: Path, tmp_path: Path
) -> None:
    done = _fit(captures, "--target-bpcer", "0.1", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    genuine = sorted((captures / "genuine").glob("*/*.jpg"))
    status, scored = _score(*genuine)
    assert status == 0
    scores = sorted(one["score"] for one in scored)
    assert found["threshold"] == pytest.approx(scores[4], abs=1e-12)  # 4 of 40 are below
    assert found["bpcer"]["value"] == 4 / 40
    assert [one["live"] for one in scored].count(False) == 4
    assert {one["threshold"] for one in scored} == {found["threshold"]}
    assert [Path(one["photo"]).name for one in found["not_scored"]] == ["coffee.jpg"]

    _, attacks = _score(*sorted((captures / "attacks" / "screen").glob("*.jpg")))
    passed = [one["live"] for one in attacks].count(True)
    assert found["apcer"]["screen"]["value"] == passed / 30
    assert found["apcer"]["print"]["value"] <= found["apcer"]["screen"]["value"]
    assert found["worst_species"] == "screen"
    scorer = load_liveness(Settings(device="cpu", data_dir=tmp_path / "data", liveness=_NEAR))
    assert scorer is not None
    assert scorer.threshold == found["threshold"]


def test_setting_overrides_what_was_fitted(captures: Path, tmp_path: Path) -> None:
    assert _fit(captures, "--target-bpcer", "0.1").exit_code == 0
    chosen = LivenessSettings(name=("near",), threshold=0.123)
    scorer = load_liveness(Settings(device="cpu", data_dir=tmp_path / "data", liveness=chosen))
    assert scorer is not None
    assert scorer.threshold == 0.123


def test_dry_run_prints_the_setting_and_keeps_nothing(captures: Path, tmp_path: Path) -> None:
    done = _fit(captures, "--target-bpcer", "0.1", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "VULTUS_LIVENESS__THRESHOLD=0." in done.stdout
    assert "APCER print" in done.stdout
    assert "EER" in done.stdout
    assert not (tmp_path / "data" / "liveness").exists()


def test_too_few_captures_keep_nothing_and_say_how_many_it_takes(
    captures: Path, tmp_path: Path
) -> None:
    done = _fit(captures)
    assert isinstance(done.exception, LivenessNotMeasurable)
    assert "40 genuine captures" in str(done.exception)
    assert "it takes 100" in str(done.exception)
    assert not (tmp_path / "data" / "liveness").exists()


def test_photos_that_cannot_be_scored_are_listed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "face.jpg").write_bytes(photos.encoded(photos.hopper()))
    (tmp_path / "coffee.jpg").write_bytes(photos.encoded(photos.coffee()))
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    status, scored = _score(*(tmp_path / name for name in ("coffee.jpg", "text.jpg", "face.jpg")))
    assert status == 3
    assert [one["error"] is None for one in scored] == [False, False, True]
    assert scored[0]["error"] == "no face was found"
    assert 0 < scored[2]["score"] < 1
    assert scored[2]["live"] is None


def test_damaged_threshold_stops_the_start(captures: Path, tmp_path: Path) -> None:
    assert _fit(captures, "--target-bpcer", "0.1").exit_code == 0
    (kept,) = (tmp_path / "data" / "liveness").iterdir()
    kept.write_text(kept.read_text().replace('"threshold": 0.', '"threshold": 7.'))
    done = RUN.invoke(cli, ["liveness", "score", str(captures / "genuine" / "coffee.jpg")])
    assert "is no liveness threshold" in str(done.exception)


def test_network_that_is_off_unknown_or_not_fetched_is_an_error_of_its_own(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = str(captures / "genuine" / "coffee.jpg")
    monkeypatch.setenv("VULTUS_LIVENESS__NAME", "")
    assert isinstance(RUN.invoke(cli, ["liveness", "score", photo]).exception, LivenessOff)
    monkeypatch.setenv("VULTUS_LIVENESS__NAME", "far")
    unknown = RUN.invoke(cli, ["liveness", "score", photo]).exception
    assert isinstance(unknown, SettingUnusable)
    assert "there are near" in str(unknown)
    monkeypatch.setenv("VULTUS_LIVENESS__NAME", "near")
    monkeypatch.setenv("VULTUS_WEIGHTS_DIR", str(tmp_path / "elsewhere"))
    missing = RUN.invoke(cli, ["liveness", "score", photo]).exception
    assert isinstance(missing, NetworkNotFetched)
    assert missing.name == "near"


_NEAR = LivenessSettings(name=("near",))
