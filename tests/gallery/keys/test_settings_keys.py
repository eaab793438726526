"""Keys of a file: read again when it changes, and refused when it is none."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.errors import SettingUnusable
from app.gallery.keys.settings_keys import SettingsKeys, read_key_file

ONE, TWO, THREE = ("one" * 8, "two" * 8, "three" * 8)


def write(path: Path, text: str) -> Path:
    """Replace the file, as mounted secrets are."""
    draft = path.with_name("draft")
    draft.write_text(text)
    draft.chmod(0o600)
    return draft.replace(path)


def names(keys: SettingsKeys) -> list[str]:
    return [key.name for key in keys.known]


def test_keys_are_lines_without_comments(tmp_path: Path) -> None:
    path = write(tmp_path / "keys", f"# front door\n{ONE}\n\n  {TWO}  \n{ONE}\n")
    assert read_key_file(path) == [ONE, TWO]
    keys = SettingsKeys([THREE], path)
    assert names(keys) == ["key 1", "file key 1", "file key 2"]
    assert ONE not in repr(keys.known)


def test_a_change_is_read_and_a_slip_leaves_the_keys_of_before(tmp_path: Path) -> None:
    path = write(tmp_path / "keys", ONE)
    keys = SettingsKeys([], path)
    before = keys.known
    write(path, f"{ONE}\n{TWO}\n")
    keys.follow()
    assert keys.known[0] == before[0]
    assert names(keys) == ["file key 1", "file key 2"]
    known = keys.known
    write(path, "# all gone\n")
    with capture_logs() as logs:
        for _ in range(2):
            keys.follow()
    path.unlink()
    keys.follow()
    assert keys.known == known
    assert [log["event"] for log in logs] == ["key_file_unusable"]
    write(path, TWO)
    keys.follow()
    assert keys.known == (SettingsKeys([], path).known[0],)


def test_a_short_key_is_not_taken_over_unless_the_start_had_one(tmp_path: Path) -> None:
    """Other machines may reach the service, where a start refuses short keys."""
    path = write(tmp_path / "keys", ONE)
    keys = SettingsKeys([], path)
    before = keys.known
    write(path, f"{ONE}\nabc\n")
    with capture_logs() as logs:
        keys.follow()
    assert keys.known == before
    assert [log["event"] for log in logs] == ["key_file_unusable"]
    write(path, "short")
    keys = SettingsKeys([], path)
    write(path, "other")
    before = keys.known
    keys.follow()
    assert keys.known != before


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("", 0o600, "has none"),
        ("# a comment\n", 0o600, "has none"),
        (ONE, 0o602, "other users may write"),
    ],
)
def test_a_file_that_cannot_be_trusted_stops_the_start(
    tmp_path: Path, text: str, mode: int, why: str
) -> None:
    path = write(tmp_path / "keys", text)
    path.chmod(mode)
    with pytest.raises(SettingUnusable, match=why):
        SettingsKeys([], path)
    with pytest.raises(SettingUnusable, match="cannot be read"):
        SettingsKeys([], tmp_path / "missing")
