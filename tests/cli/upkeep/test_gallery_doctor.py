"""`vultus gallery doctor` and the guards of `vultus enroll-folder`."""

import json
import shlex
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app.cli.main import cli
from tests.api.conftest import photo

RUN = CliRunner()


def _run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = RUN.invoke(cli, [*arguments, "--json"])
    assert done.exit_code in {0, 3}, done.output
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_photo_of_another_person_in_a_folder_is_rejected_and_found_by_the_doctor_when_forced(
    tmp_path: Path,
) -> None:
    people = tmp_path / "people"
    for name in ("eileen/astronaut", "eileen/astronaut_again", "eileen/hopper_again"):
        path = people / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(path.stem))
    (people / "grace").mkdir()
    (people / "grace" / "hopper.jpg").write_bytes(photo("hopper"))

    _, (summary,) = _run("enroll-folder", str(people))
    assert summary["faces"] == 3
    (rejected,) = summary["rejected"]
    assert rejected["photo"] == "eileen/hopper_again.jpg"
    assert rejected["reasons"][0] in {"low_match_confidence", "belongs_to_another_identity"}
    assert _run("gallery", "doctor") == (0, [])

    _, (forced,) = _run("enroll-folder", str(people), "--force")
    assert (forced["faces"], forced["known_before"], forced["rejected"]) == (1, 3, [])
    code, findings = _run("gallery", "doctor")
    assert code == 3
    (finding,) = findings
    assert finding["kind"] == "mislabel"
    assert finding["identity"]["external_id"] == "eileen"
    assert finding["other"]["external_id"] == "grace"
    assert "action" not in finding
    assert "dismissal" not in finding
    assert _run("gallery", "dismiss", finding["face_id"]) == (0, [{"changed": 1}])
    assert _run("gallery", "doctor") == (0, [])
    assert _run("gallery", "dismiss", "ext:eileen", "ext:grace") == (0, [{"changed": 1}])
    assert _run("gallery", "dismiss", finding["face_id"], "--undo") == (0, [{"changed": 1}])
    assert _run("gallery", "doctor") == (3, findings)
    assert RUN.invoke(cli, ["gallery", "dismiss", "a", "b", "c"]).exit_code == 2
    command = shlex.split(str(finding["command"]))
    assert command[:3] == ["vultus", "gallery", "move"]
    _, (moved,) = _run(*command[1:])
    assert moved["identity"]["external_id"] == "grace"
    assert _run("gallery", "doctor") == (0, [])
    _, (merged,) = _run("gallery", "merge", "ext:eileen", "ext:grace")
    assert merged["identity"]["face_count"] == 4
    _, (removed,) = _run("gallery", "delete-face", "ext:eileen", str(moved["face"]["id"]))
    assert removed["face_count"] == 1
    refused = RUN.invoke(cli, ["gallery", "move", "face"])
    assert refused.exit_code == 2
