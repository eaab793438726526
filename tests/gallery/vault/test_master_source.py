"""The master key from a file, a setting or a command."""

import sys
from base64 import b64encode
from pathlib import Path

import pytest

from app.errors import SettingUnusable
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.master_source import load_masters
from app.settings import Settings

KEY, FORMER = bytes(range(32)), bytes(32)
LINES = "\n".join(b64encode(key).decode() for key in (KEY, FORMER)) + "\n"
IDS = [MasterKey(key).id for key in (KEY, FORMER)]


def ids(**settings: object) -> list[str]:
    return [master.id for master in load_masters(Settings(**settings))]  # type: ignore[arg-type]


def a_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_each_source_gives_the_key_and_former_ones(tmp_path: Path) -> None:
    file = a_file(tmp_path, LINES.encode())
    assert ids(master_key_file=file) == IDS
    assert ids(master_key=LINES.strip().replace("\n", ",")) == IDS
    assert ids(master_key_command=f"cat '{file}'") == IDS
    assert ids() == []
    assert ids(master_key_file=a_file(tmp_path, KEY)) == IDS[:1], "the 32 bytes themselves"


def test_a_file_that_other_users_may_read_is_refused(tmp_path: Path) -> None:
    for mode in (0o604, 0o602, 0o644):
        with pytest.raises(SettingUnusable, match=r"other users .*chmod o="):
            ids(master_key_file=a_file(tmp_path, LINES.encode(), mode))
    assert ids(master_key_file=a_file(tmp_path, LINES.encode(), 0o640)) == IDS


def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    for content in ("", "c2hvcnQ=", LINES + "secret-that-is-no-key"):
        with pytest.raises(SettingUnusable, match="32 bytes in base64") as refused:
            ids(master_key_file=a_file(tmp_path, content.encode()))
        assert "secret" not in str(refused.value)
    with pytest.raises(SettingUnusable, match="cannot be read"):
        ids(master_key_file=tmp_path / "none")
    with pytest.raises(SettingUnusable, match="both name the master key"):
        ids(master_key=LINES, master_key_command="true")


def test_a_command_that_fails_says_only_that_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = f'{sys.executable} -c \'import sys; print("secret"); sys.exit("secret")\''
    for command, fact in (
        (failing, "ended with status 1"),
        ("/no/such/program", "cannot be run"),
        ("cat 'unclosed", "cannot be run"),
    ):
        with pytest.raises(SettingUnusable, match=fact) as refused:
            ids(master_key_command=command)
        assert "secret" not in f"{refused.value!r} {refused.value.__cause__!r}"
    monkeypatch.setattr("app.gallery.vault.master_source._WITHIN_S", 0.05)
    with pytest.raises(SettingUnusable, match="did not end"):
        ids(master_key_command="sleep 30")
