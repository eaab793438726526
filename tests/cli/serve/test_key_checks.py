"""A start does not open the service by mistake."""

from contextlib import closing
from pathlib import Path

import pytest
from pydantic_settings import SettingsError

from app.cli.configuration import load_settings, unknown_settings
from app.cli.serve.key_checks import require_keys
from app.errors import SettingUnusable, StartupError
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import NewKey
from app.gallery.keys.rights import Right, Role
from app.gallery.store.database import Database
from app.settings import Settings

ELSEWHERE = "192.0.2.7"
STRONG = "correct-horse-battery"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_no_key_is_needed_on_this_machine(address: str) -> None:
    require_keys(Settings(), address)
    require_keys(Settings(api_keys=("a",)), address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", ELSEWHERE, "127.0.0.2", ""])  # noqa: S104
def test_strong_keys_are_needed_where_others_reach_it(address: str) -> None:
    require_keys(Settings(api_keys=(STRONG, STRONG + "2")), address)
    for weak in ((), ("fifteen-letters",), (STRONG, "a")):
        with pytest.raises(SettingUnusable) as caught:
            require_keys(Settings(api_keys=weak), address)
        assert caught.value.setting == "VULTUS_API_KEYS"


def test_a_key_of_the_database_is_one(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with closing(Database(settings.resolved_database_url, timeout_s=10)) as database:
        database.upgrade()
        with pytest.raises(SettingUnusable):
            require_keys(settings, ELSEWHERE)
        GalleryKeys(database).add(NewKey("boss", Role.ADMIN, tuple(Right)))
    require_keys(settings, ELSEWHERE)


def test_keys_of_a_file_count_and_must_be_strong(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for text, usable in ((STRONG, True), ("weak", False), ("# none", False)):
        path.write_text(text)
        path.chmod(0o600)
        settings = Settings(data_dir=tmp_path, api_keys_file=path)
        if usable:
            require_keys(settings, ELSEWHERE)
            continue
        with pytest.raises(SettingUnusable):
            require_keys(settings, ELSEWHERE)


def test_settings_may_be_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "VULTUS_API_KEYS").write_text(f"{STRONG}\n")
    (tmp_path / "vultus_audit__key").write_text("audit\n")
    (tmp_path / "vultus_port").write_text("9000")
    (tmp_path / "other").write_text("of another program")
    monkeypatch.setenv("VULTUS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("VULTUS_PORT", "8001")
    settings = Settings()
    assert [key.get_secret_value() for key in settings.api_keys] == [STRONG]
    assert settings.audit.key is not None
    assert settings.audit.key.get_secret_value() == "audit"
    assert settings.port == 8001  # a variable wins
    monkeypatch.setenv("VULTUS_SECRETS_DIR", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match="missing"):
        Settings()


def test_it_may_be_meant_to_be_open() -> None:
    require_keys(Settings(open_to_all=True), ELSEWHERE)
    with pytest.raises(SettingUnusable):  # a key that was set is meant to be one
        require_keys(Settings(open_to_all=True, api_keys=("a",)), ELSEWHERE)


@pytest.mark.parametrize("name", ["VULTUS_API_KEY", "VULTUS_APIKEYS", "vultus_api_key"])
def test_a_misspelt_setting_of_keys_stops_every_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, STRONG)
    with pytest.raises(SettingUnusable, match=name):
        require_keys(Settings(), "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("VULTUS_TLS_CERT", "VULTUS_TLS__CERT"),
        ("VULTUS_MASTER_KEYFILE", "VULTUS_MASTER_KEY_FILE"),
    ],
)
def test_other_misspelt_settings_that_protect_stop_every_start(
    name: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "/etc/x")
    with pytest.raises(SettingUnusable, match=name) as refused:
        require_keys(Settings(), "127.0.0.1")
    assert refused.value.setting == setting


def test_file_of_settings_may_begin_with_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    file.write_bytes(f"\ufeffVULTUS_API_KEYS={STRONG}\n".encode())
    assert [key.get_secret_value() for key in load_settings().api_keys] == [STRONG]
    assert list(unknown_settings()) == []


@pytest.mark.parametrize("value", [" , ", ",", "  "])
def test_keys_that_are_none_stop_every_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_API_KEYS", value)
    with pytest.raises(StartupError, match="VULTUS_API_KEYS: it names no key"):
        load_settings()


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_API_KEYS", "")
    assert load_settings().api_keys == ()
