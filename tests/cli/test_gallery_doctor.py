"""`vultus gallery doctor` and the guards of `vultus enroll-folder`, as their users run them."""

import json
import os
import subprocess
from pathlib import Path

from tests.api.conftest import photo
from tests.server import VULTUS


def _run(data_dir: Path, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    done = subprocess.run(
        [VULTUS, *arguments, "--json"],
        env={**os.environ, "VULTUS_DATA_DIR": str(data_dir), "VULTUS_DEVICE": "cpu"},
        cwd=data_dir,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 3}, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_folder_with_a_photo_of_another_person_is_told_and_the_doctor_finds_it_when_forced(
    tmp_path: Path,
) -> None:
    data, people = tmp_path / "data", tmp_path / "people"
    data.mkdir()
    for name in ("eileen/astronaut", "eileen/astronaut_again", "eileen/hopper_again"):
        path = people / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(path.stem))
    (people / "grace").mkdir()
    (people / "grace" / "hopper.jpg").write_bytes(photo("hopper"))

    _, (summary,) = _run(data, "enroll-folder", str(people))
    assert summary["faces"] == 3
    (rejected,) = summary["rejected"]  # type: ignore[misc]
    assert rejected["photo"] == "eileen/hopper_again.jpg"
    assert rejected["reasons"][0] in {"low_match_confidence", "belongs_to_another_identity"}
    assert _run(data, "gallery", "doctor") == (0, [])

    _, (forced,) = _run(data, "enroll-folder", str(people), "--force")
    assert (forced["faces"], forced["known_before"], forced["rejected"]) == (1, 3, [])
    code, findings = _run(data, "gallery", "doctor")
    assert code == 3
    (finding,) = findings
    assert finding["kind"] == "mislabel"
    assert finding["identity"]["external_id"] == "eileen"  # type: ignore[index]
    assert finding["other"]["external_id"] == "grace"  # type: ignore[index]
