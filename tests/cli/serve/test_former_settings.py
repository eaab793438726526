"""Settings of an earlier version: read under their new names, or named at the start."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cli.configuration import (
    export_opentelemetry,
    former_settings,
    load_settings,
    unknown_settings,
)
from app.cli.serve.serve import _warn_of_likely_mistakes
from app.former_settings import OPENTELEMETRY, REMOVED, RENAMED, current
from app.settings import Settings
from tests.cases import case


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    return path


def test_file_of_all_settings_of_0_1_0_is_taken_over_and_names_what_changed(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_bytes(case("settings-0.1.0.env"))
    monkeypatch.delenv("VULTUS_DATA_DIR")
    settings = load_settings()
    assert (settings.threads, settings.limits.max_waiting) == (2, 128)
    assert settings.thresholds.target_fmr == 0.0005
    assert settings.retention.unknown_faces == 20_000
    assert [one.get_secret_value() for one in settings.api_keys] == [
        "first-example-key",
        "second-example-key",
    ]
    found = {one.name: one for one in former_settings()}
    never_released = {
        "VULTUS_DATABASE__RESERVE_BYTES",
        "VULTUS_LIMITS__DECODE_S",
        "VULTUS_LIMITS__MIN_BYTES_PER_S",
    }
    assert found.keys() == {*RENAMED, *OPENTELEMETRY, *REMOVED} - never_released
    assert {one.source for one in found.values()} == {".env"}
    assert found["VULTUS_INDEX__POLL_MS"].remedy == (
        "VULTUS_INDEX__POLL_MS is no longer needed: the value is fixed now; remove the setting"
    )
    assert found["VULTUS_WORKERS__COUNT"].remedy.endswith("set VULTUS_THREADS")
    assert list(unknown_settings()) == []
    with capture_logs() as logs:
        _warn_of_likely_mistakes(settings, "127.0.0.1")
    warned = {line["variable"] for line in logs if line["event"] == "former_setting"}
    assert warned == found.keys()


def test_spans_of_0_1_0_go_where_they_went(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_bytes(case("settings-0.1.0.env") + b"\nOTEL_BSP_SCHEDULE_DELAY=9\n")
    before = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    monkeypatch.setattr(os, "environ", {**before, "OTEL_SERVICE_NAME": "of the environment"})
    export_opentelemetry()
    assert {k: v for k, v in os.environ.items() if k.startswith("OTEL_")} == {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
        "OTEL_SERVICE_NAME": "of the environment",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
        "OTEL_BSP_SCHEDULE_DELAY": "9",
    }


@pytest.mark.parametrize("source", ["environment", ".env"])
def test_name_of_today_wins_over_the_former_one_of_the_same_source(
    source: str, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"VULTUS_WORKERS__COUNT": "2", "VULTUS_THREADS": "3"}
    if source == ".env":
        env_file.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    else:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
    assert load_settings().threads == 3


def test_former_settings_inside_a_group_of_json_are_taken_over_as_well(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(
        'vultus_workers={"count": 5, "torch_threads": 1}\n'
        'VULTUS_INDEX={"milvus_fallback": "exact", "poll_ms": 9}\n'
        'VULTUS_NEXT={"shadow": true, "onnx": {"mean": [1, 2, 3]}}\n'
    )
    settings = load_settings()
    assert (settings.threads, settings.index.milvus_fallback, settings.next.shadow) == (
        5,
        "exact",
        True,
    )
    assert [one.name for one in former_settings()] == [
        "VULTUS_WORKERS__COUNT",
        "VULTUS_WORKERS__TORCH_THREADS",
        "VULTUS_INDEX__POLL_MS",
        "VULTUS_NEXT__ONNX__MEAN",
    ]
    assert list(unknown_settings()) == []
    monkeypatch.setenv("VULTUS_INDEX", "no json")
    assert current(os.environ)["vultus_index"] == "no json"
