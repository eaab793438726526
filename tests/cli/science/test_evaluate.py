"""`vultus evaluate` on real photos, with the real networks."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import InvalidRequest
from app.recognition.pipeline import Recognizer
from models.zoo.names import DEFAULT_NETWORK
from tests.cli.people import write_two_people

RUN = CliRunner()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_two_people(tmp_path / "people")


def _evaluate(*arguments: str | Path) -> dict[str, Any]:
    done = RUN.invoke(cli, ["evaluate", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def _values(report: dict[str, Any]) -> dict[str, float]:
    return {key: figure["value"] for key, figure in report["figures"].items()}


def test_a_folder_is_evaluated_once_and_then_from_the_cache(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = _evaluate(people, "--out", out)
    values = _values(first)
    assert (values["photos.count"], values["photos.people"]) == (6, 2)
    assert values["photos.fte"] == pytest.approx(2 / 6)
    assert values["photos.failures.no_face"] == values["photos.failures.several_faces"] == 1
    assert (values["all_pairs.genuine_pairs"], values["all_pairs.impostor_pairs"]) == (2, 4)
    assert values["all_pairs.auc"] == 1
    assert values["closed_set.rank.1"] == 1
    assert values["closed_set.rank.1.with_failures"] == pytest.approx(2 / 4)
    assert first["about"]["failures"] == [
        {"photo": "Eileen/3.jpg", "reason": "no_face"},
        {"photo": "Grace/3.jpg", "reason": "several_faces"},
    ]
    assert json.loads((out / "report.json").read_text())["figures"] == first["figures"]
    assert f"<title>Evaluation of {DEFAULT_NETWORK}</title>" in (out / "report.html").read_text()

    def never(*_: object) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(Recognizer, "embed", never)
    again = _evaluate(people, "--against", out / "report.json")
    assert _values(again) == values
    assert again["comparison"]["unpaired"] is None
    assert all(one["difference"] == 0 for one in again["comparison"]["differences"].values())


def test_the_face_of_a_photo_is_the_one_that_was_asked_for(people: Path) -> None:
    assert _values(_evaluate(people, "--faces", "largest"))["photos.fte"] == pytest.approx(1 / 6)
    assert _values(_evaluate(people, "--faces", "central"))["photos.fte"] == pytest.approx(1 / 6)


def test_pairs_with_folds_are_evaluated_as_lfw(people: Path, tmp_path: Path) -> None:
    root = tmp_path / "lfw"
    root.mkdir()
    people.rename(root / "images")
    rows = [
        "1,1,Eileen/1.jpg,Eileen/2.jpg",
        "1,0,Eileen/1.jpg,Grace/1.jpg",
        "2,1,Grace/1.jpg,Grace/2.jpg",
        "2,0,Eileen/2.jpg,Grace/2.jpg",
    ]
    (root / "pairs.csv").write_text("\n".join(["fold,same,left,right", *rows]))
    report = _evaluate(root, "--protocol", "pairs")
    assert report["about"]["faces"] == "central"
    values = _values(report)
    assert values["photos.count"] == 4  # those that no pair names are not embedded
    assert values["pairs.accuracy"] == 1
    assert "all_pairs.auc" not in values
    alone = _evaluate_pairs_alone(root, rows)
    assert alone["pairs.accuracy"] == 1
    assert alone["pairs.auc"] == values["pairs.auc"]


def _evaluate_pairs_alone(root: Path, rows: list[str]) -> dict[str, float]:
    listed = root / "images" / "alone.csv"
    listed.write_text("\n".join(["fold,same,left,right", *rows]))
    values = _values(_evaluate(listed))
    assert "all_pairs.auc" not in values
    refused = RUN.invoke(cli, ["evaluate", str(listed), "--protocol", "all-pairs"])
    assert isinstance(refused.exception, InvalidRequest)
    return values


def test_groups_thresholds_and_rates_are_those_asked_for(people: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("person,group\nEileen,pilots\nGrace,admirals\n")
    values = _values(_evaluate(people, "--groups", groups, "--threshold", "0.95", "--fmr", "0.5"))
    assert values["groups.fnmr_at.0.9500.pilots"] in (0, 1)
    assert values["groups.people.admirals"] == 1
    assert "all_pairs.fnmr_at_fmr.0.5" in values
    assert "all_pairs.fmr_at.0.9500" in values


def test_the_tables_have_the_figures_and_names_as_they_are(people: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("person,group\nEileen,[red]a\nGrace,[/]\n")
    report = tmp_path / "out" / "report.json"
    arguments = ["evaluate", str(people), "--groups", str(groups), "--threshold", "0.95"]
    first = RUN.invoke(cli, [*arguments, "--out", str(report.parent)])
    assert first.exit_code == 0, first.output
    assert "Verification, all pairs of photos" in first.stdout
    assert "several_faces" in first.stdout
    assert "people of [/]" in first.stdout
    second = RUN.invoke(cli, [*arguments, "--against", str(report)])
    assert second.exit_code == 0, second.output
    assert "FNMR of [red]a" in second.stdout.split("Compared")[1]


def test_what_cannot_be_evaluated_is_refused_with_the_reason(people: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely"
    (lonely / "Grace").mkdir(parents=True)
    (people / "Grace/1.jpg").rename(lonely / "Grace/1.jpg")
    no_report = tmp_path / "no.json"
    no_report.write_text("[]")
    short_report = tmp_path / "short.json"
    short_report.write_text(json.dumps(_evaluate(people)))
    for arguments, fact in (
        ([lonely], "there is nothing to compare"),
        ([tmp_path / "data"], "has no photos"),
        ([people, "--protocol", "groups"], "need the groups"),
        ([people, "--against", no_report], "is no report"),
        ([people, "--against", short_report], "give --against the report.json that --out writes"),
    ):
        (tmp_path / "data").mkdir(exist_ok=True)
        done = RUN.invoke(cli, ["evaluate", *map(str, arguments)])
        assert isinstance(done.exception, InvalidRequest), done.output
        assert fact in str(done.exception)
