"""The audit of packages fails for what is known, and is skipped without an advisory service."""

import stat
import sys
from pathlib import Path

import pytest

from scripts.package_audit import main, report


def test_known_vulnerabilities_fail(capsys: pytest.CaptureFixture[str]) -> None:
    vulnerable = {
        "name": "a",
        "version": "1.0",
        "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}],
    }
    unknown = {"name": "b", "skip_reason": "not found"}
    assert report([vulnerable, unknown, {"name": "c", "version": "1", "vulns": []}]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "a 1.0: PYSEC-1, fixed in 1.1",
        "package audit: 2 packages looked up, 1 unknown",
    ]
    assert report([{"name": "c", "version": "1", "vulns": []}]) == 0


@pytest.mark.parametrize(
    "answer",
    ["", '{"dependencies": [{"name": "b", "skip_reason": "not found"}]}', "no JSON"],
)
def test_without_an_advisory_service_it_says_that_it_was_skipped(
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "argv", ["package_audit", str(tool)])
    assert main() == 0
    assert "skipped" in capsys.readouterr().out
