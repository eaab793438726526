"""What is wrong with a start and known at once is one line, before any network is loaded."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from app.cli.configuration import load_settings, unknown_settings
from app.cli.remedies import TERMINAL
from app.cli.serve.serve import _warn_of_likely_mistakes
from app.cli.serve.start_checks import require_startable
from app.errors import NetworkNotFetched, SettingUnusable, StartupError
from app.settings import Settings

HERE = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind((HERE, 0))
        listening.listen()
        yield listening.getsockname()[1]


def _settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path / "data", **changes})


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]])
def test_a_taken_port_is_one_line_that_names_the_setting(
    taken: int, arguments: list[str], tmp_path: Path
) -> None:
    """And nothing was loaded: PyTorch would have been imported by then."""
    code = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main()\nfinally:\n    print(sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", *arguments],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "VULTUS_DATA_DIR": str(tmp_path / "data"),
            "VULTUS_PORT": str(taken),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == (f"startup_failed: the port {taken} of 127.0.0.1 is taken; check VULTUS_PORT")
    assert "'app.cli.serve.start_checks'" in done.stdout
    assert "'torch'" not in done.stdout


@pytest.mark.parametrize(
    ("host", "setting"),
    [("192.0.2.1", "VULTUS_HOST"), ("no such host", "VULTUS_HOST"), ("2001:db8::1", "VULTUS_HOST")],
)
def test_an_address_that_is_not_of_this_machine_is_refused(
    host: str, setting: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingUnusable) as caught:
        require_startable(_settings(tmp_path), host, 0)
    assert caught.value.setting == setting


@pytest.mark.parametrize("host", [HERE, "0.0.0.0", "localhost"])  # noqa: S104
def test_any_free_port_is_accepted(host: str, tmp_path: Path) -> None:
    require_startable(_settings(tmp_path, open_to_all=True), host, 0)


def test_a_port_without_rights_to_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("app.cli.serve.start_checks.socket.socket.bind", refuse)
    with pytest.raises(SettingUnusable, match="may not listen on the port 80") as caught:
        require_startable(_settings(tmp_path), HERE, 80)
    assert caught.value.setting == "VULTUS_PORT"


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"embedder": "arcface"}, "VULTUS_EMBEDDER"),
        ({"detector": {"name": "viola-jones"}}, "VULTUS_DETECTOR__NAME"),
        ({"liveness": {"name": "minifasnet-v9"}}, "VULTUS_LIVENESS__NAME"),
        ({"embedder": "dlib-resnet", "weights_path": "/nowhere.pt"}, "VULTUS_WEIGHTS_PATH"),
        ({"weights_path": "/nowhere.pt"}, "VULTUS_EMBEDDER"),  # of which network?
        ({"next": {"embedder": "arcface"}}, "VULTUS_NEXT__EMBEDDER"),
        ({"next": {"embedder": "dlib-resnet", "weights_path": "/no"}}, "VULTUS_NEXT__WEIGHTS_PATH"),
        ({"data_dir": "/dev/null/x"}, "VULTUS_DATA_DIR"),
    ],
)
def test_a_setting_that_cannot_be_followed_is_named(
    changes: dict[str, object], setting: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingUnusable) as caught:
        require_startable(_settings(tmp_path, **changes), HERE, 0)
    assert caught.value.setting == setting


@pytest.mark.parametrize(
    ("changes", "name", "command"),
    [
        (
            {"detector": {"name": "scrfd-10g"}},
            "scrfd-10g",
            "vultus models fetch scrfd-10g --accept-license",
        ),
        (
            {"liveness": {"name": "minifasnet-v1se"}},
            "minifasnet-v1se",
            "vultus models fetch minifasnet-v1se",
        ),
    ],
)
def test_detector_or_liveness_network_that_was_not_fetched_is_named_with_the_command(
    changes: dict[str, object], name: str, command: str, tmp_path: Path
) -> None:
    with pytest.raises(NetworkNotFetched) as caught:
        require_startable(_settings(tmp_path, **changes), HERE, 0)
    assert caught.value.name == name
    assert TERMINAL.detail(caught.value).endswith(f"; run: {command}")


@pytest.mark.parametrize(
    "url", ["mysql://x", "nonsense", "sqlite://", "postgresql://127.0.0.1:1/none"]
)
def test_a_database_that_cannot_be_opened_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="VULTUS_DATABASE_URL"):
        require_startable(_settings(tmp_path, database_url=url), HERE, 0)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vultus.db").write_bytes(b"a photo" * 1000)
    with pytest.raises(StartupError, match="not a database"):
        require_startable(_settings(tmp_path, data_dir=tmp_path), HERE, 0)


def test_a_first_start_makes_no_database_yet(tmp_path: Path) -> None:
    require_startable(_settings(tmp_path), HERE, 0)
    assert list((tmp_path / "data").iterdir()) == []


def test_unknown_settings_of_environment_and_file_are_logged_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "VULTUS_PROT=9\nvultus_databse_url=x\nVULTUS_PORT=9\nOTHER=1\nVULTUS_LIMITS={}\n"
    )
    monkeypatch.setenv("VULTUS_DEVISE", "cpu")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    assert [(one.name, one.source, one.nearest) for one in unknown_settings()] == [
        ("VULTUS_DEVISE", "environment", "VULTUS_DEVICE"),
        ("VULTUS_PROT", ".env", "VULTUS_PORT"),
        ("vultus_databse_url", ".env", "VULTUS_DATABASE_URL"),
    ]
    monkeypatch.setenv("VULTUS_LIMITS__MAX_PIXEL", "5")
    with pytest.raises(StartupError, match=r"did you mean VULTUS_LIMITS__MAX_PIXELS\?"):
        load_settings()
    monkeypatch.delenv("VULTUS_LIMITS__MAX_PIXEL")
    structlog.reset_defaults()
    with capture_logs() as logs:
        _warn_of_likely_mistakes(Settings(), HERE)
    assert "did you mean VULTUS_PORT?" in [line.get("remedy") for line in logs]
