"""Options come from a file and a command line, with bounds, and are all documented."""

import re
from pathlib import Path

import pytest

from models.training.config import TrainingConfig, config_from, read_config
from models.training.errors import ConfigInvalidError

ROOT = Path(__file__).parents[3]


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('seed = 4\n[loss]\nname = "arcface"\n[loss.options]\nmargin = 0.4\n')
    read = read_config(
        TrainingConfig, path, ["loss.name=cosface", "optimiser.rate=1e-3", "data.augment.jpeg=0"]
    )
    assert read.seed == 4
    assert (read.loss.name, read.loss.options) == ("cosface", {"margin": 0.4})
    assert (read.optimiser.rate, read.data.augment.jpeg) == (1e-3, 0)


@pytest.mark.parametrize(
    ("override", "fact"),
    [
        ("optimiser.rate=-1", "optimiser.rate"),
        ("network.nme=x", "network.nme"),
        ("epochs", "write group.option=value"),
        ("seed.x=1", "seed is no group"),
        ("evaluation.metric=accuracy", "metric is one of auc"),
        ("data.choose=0.99", "no people are left"),
    ],
)
def test_what_is_wrong_is_told(override: str, fact: str) -> None:
    with pytest.raises(ConfigInvalidError, match=re.escape(fact)):
        read_config(TrainingConfig, None, ["seed=1", override])


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("seed: 4")
    with pytest.raises(ConfigInvalidError, match="TOML"):
        read_config(TrainingConfig, tmp_path / "run.toml")


def test_a_configuration_survives_its_own_json() -> None:
    config = read_config(
        TrainingConfig, None, ["network.weights=published", "loss.options={scale = 150}"]
    )
    assert config_from(TrainingConfig, config.model_dump(mode="json")) == config


def test_every_option_is_in_its_table_and_no_other() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| `([^|]*)` \|", page, flags=re.MULTILINE))
    assert told == {name: default for name, default, _ in TrainingConfig.options()}
