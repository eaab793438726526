"""`vultus train` and `vultus models` on real photos: from a folder to a served embedder."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import InvalidRequest
from app.recognition.build import load_configured_network
from app.recognition.pipeline import Recognizer
from app.settings import Settings
from models.training.data.crop_store import open_store
from models.training.results.run_folder import open_run
from tests.cli.people import write_two_people

RUN = CliRunner()
FEW_STEPS = (
    *("--network", "small-cnn", "--loss", "contrastive", "--epochs", "1"),
    *("--set", "network.size_px=32", "--set", "steps_per_epoch=2", "--set", "data.people=2"),
    *("--set", "data.choose=0", "--set", "data.test=0", "--set", "threads=1"),
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with photos, and a file that is none."""
    folder = write_two_people(tmp_path_factory.mktemp("people"))
    (folder / "Grace/4.jpg").write_bytes(b"no picture")
    return folder


def _done(*arguments: str | Path) -> str:
    done = RUN.invoke(cli, [*map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def test_photos_become_a_served_embedder(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    report: dict[str, Any] = json.loads(_done("train", people, "--out", run, *FEW_STEPS, "--json"))
    assert report["data"]["train"] == {"photos": 4, "people": 2}
    store = open_store(open_run(run)[1].crops)
    assert set(store.failures) == {
        ("Eileen/3.jpg", "no_face"),
        ("Grace/3.jpg", "several_faces"),
        ("Grace/4.jpg", "image_unreadable"),
    }
    assert store.folder.is_relative_to(tmp_path / "data")
    _done("models", "add", run, "--name", "ours", "--license", "ours alone")
    listed = json.loads(_done("models", "list", "--json"))["models"]
    assert listed[-1]["name"] == "ours"
    assert listed[-1]["license"] == "ours alone"
    evaluated = json.loads(_done("evaluate", people, "--embedder", "ours", "--json"))
    monkeypatch.setenv("VULTUS_EMBEDDER", "ours")
    served = load_configured_network(Settings(device="cpu"))
    assert (served.spec.name, served.digest) == ("ours", report["digest"])
    assert evaluated["about"]["model"]["name"] == "ours"
    assert evaluated["about"]["model"]["digest"] == report["digest"]


def test_photos_are_cut_once_and_runs_are_compared(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _done("train", people, "--out", tmp_path / "1", *FEW_STEPS)
    assert str(tmp_path / "1") in first.replace("\n", "")
    looked_at = []
    cut = Recognizer.cut

    async def counted(self: Recognizer, image: bytes, *rest: Any) -> Any:
        looked_at.append(image)
        return await cut(self, image, *rest)

    monkeypatch.setattr(Recognizer, "cut", counted)
    _done("train", people, "--out", tmp_path / "2", *FEW_STEPS, "--seed", "7")
    assert looked_at == [b"no picture"]  # what another decoder might read is tried again
    compared = json.loads(_done("models", "compare", tmp_path / "1", tmp_path / "2", "--json"))
    assert [run["choices"] for run in compared["runs"].values()] == [{"seed": 0}, {"seed": 7}]
    assert not compared["same_people"]
    table = _done("models", "compare", tmp_path / "1", tmp_path / "2")
    assert "NOT comparable" in table


def test_a_finished_run_that_is_resumed_stays_as_it_is(people: Path, tmp_path: Path) -> None:
    begun = json.loads(_done("train", people, "--out", tmp_path / "1", *FEW_STEPS, "--json"))
    again = json.loads(_done("train", "--resume", tmp_path / "1", "--json"))
    assert again["digest"] == begun["digest"]
    assert again["history"] == begun["history"]
    over = RUN.invoke(cli, ["train", str(people), "--out", str(tmp_path / "1"), *FEW_STEPS])
    assert isinstance(over.exception, InvalidRequest)
    assert f"--resume {tmp_path / '1'}" in str(over.exception)
    for ignored in (
        [str(people)],
        *(["--out", "other"], ["--network", "small-cnn"], ["--weights", "scratch"]),
        *(["--loss", "softmax"], ["--epochs", "9"], ["--seed", "1"], ["--set", "epochs=9"]),
        *(["--faces", "single"], ["--crops", "other"]),
    ):
        refused = RUN.invoke(cli, ["train", "--resume", str(tmp_path / "1"), *ignored])
        assert refused.exit_code == 2, ignored


def test_what_cannot_be_trained_is_refused_with_the_reason(people: Path, tmp_path: Path) -> None:
    for arguments, fact in (
        (["--set", "optimiser.rate=-1"], "optimiser.rate"),
        (["--network", "vit"], "it is one of dlib-resnet"),
        (["--loss", "hinge"], "no loss 'hinge'"),
        (["--loss", "softmax", "--set", "loss.miner=hard"], "leave loss.miner out"),
        (["--set", "data.choose=0.5"], "fewer than two are left"),
        (["--set", "network.weights=published"], "network.weights=scratch"),
    ):
        words = ["train", str(people), "--out", str(tmp_path / fact[:5]), *FEW_STEPS, *arguments]
        done = RUN.invoke(cli, words)
        assert done.exit_code == 1, done.output
        assert fact in str(done.exception)
    refused = RUN.invoke(cli, ["models", "compare", str(people)])
    assert isinstance(refused.exception, InvalidRequest)
    assert "holds no finished run" in str(refused.exception)


def test_the_default_network_is_tuned_on_photos_and_served(people: Path, tmp_path: Path) -> None:
    few = (
        *("--set", "data.choose=0", "--set", "data.test=0", "--set", "threads=1"),
        *("--set", "runs=1", "--set", "steps=2", "--set", "data.copies=2", "--set", "back=0.25"),
    )
    run = tmp_path / "run"
    report = json.loads(_done("tune", people, "--out", run, *few, "--json"))
    assert report["data"]["train"] == {"photos": 4, "people": 2}
    assert report["best"]["back"] == 0.25
    _done("models", "add", run, "--name", "tuned", "--license", "ours alone")
    evaluated = json.loads(_done("evaluate", people, "--embedder", "tuned", "--json"))
    assert evaluated["about"]["model"]["digest"] == report["digest"]
    again = RUN.invoke(cli, ["tune", str(people), "--out", str(run), *few])
    assert "already holds a run" in str(again.exception)
