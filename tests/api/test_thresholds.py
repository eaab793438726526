"""Where the threshold of an answer comes from."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ThresholdRequired
from app.operations.thresholds import Thresholds
from app.services import default_thresholds
from app.settings import Settings
from models.zoo.network import Network

MEASURED = Thresholds(embedder="net", verify=0.9, identify=0.95, source="somewhere")


def test_the_requests_threshold_wins() -> None:
    assert MEASURED.for_verify(0.1) == 0.1
    assert MEASURED.for_identify(0.0) == 0.0


def test_defaults_are_the_measured_ones() -> None:
    assert MEASURED.for_verify(None) == 0.9
    assert MEASURED.for_identify(None) == 0.95


def test_without_a_measurement_a_threshold_is_required() -> None:
    unmeasured = replace(MEASURED, verify=None, identify=None)
    with pytest.raises(ThresholdRequired, match="VULTUS_THRESHOLDS__VERIFY"):
        unmeasured.for_verify(None)
    with pytest.raises(ThresholdRequired, match="VULTUS_THRESHOLDS__IDENTIFY"):
        unmeasured.for_identify(None)


def test_settings_win_over_the_measurement(network: Network, tmp_path: Path) -> None:
    assert network.spec.thresholds is not None
    measured = network.spec.thresholds
    plain = default_thresholds(Settings(data_dir=tmp_path), network)
    assert (plain.verify, plain.identify) == (measured.verify, measured.identify)
    assert plain.source == measured.source
    chosen = Settings(data_dir=tmp_path, thresholds={"verify": 0.0})
    mixed = default_thresholds(chosen, network)
    assert (mixed.verify, mixed.identify) == (0.0, measured.identify)
