"""docs/losses.md describes every loss, miner and metric as the code does."""

import re
from pathlib import Path

import annotated_types as bounds
import pytest
from pydantic.fields import FieldInfo

from models.training.losses import LOSSES, TrainingLoss
from models.training.metrics import METRICS, LinearMetric
from models.training.miners import MINERS

PAGE = (Path(__file__).parents[3] / "docs" / "losses.md").read_text(encoding="utf-8")
_SECTIONS = {
    re.match(r"`([\w-]+)`", part).group(1): part  # type: ignore[union-attr]
    for part in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]
    if part.startswith("`")
}
_Described = type[TrainingLoss] | type[LinearMetric]
_SPECS: list[_Described] = [*LOSSES.values(), *METRICS.values()]


def test_each_has_a_section_and_nothing_else_has() -> None:
    assert list(_SECTIONS) == [*LOSSES, *METRICS]


@pytest.mark.parametrize("spec", _SPECS, ids=lambda spec: spec.name)
def test_a_section_tells_equation_source_and_options(spec: _Described) -> None:
    section = " ".join(_SECTIONS[spec.name].split())
    assert section.startswith(f"`{spec.name}`: {spec.title} ")
    assert spec.equation in section
    assert f"{spec.source}." in section
    told = re.findall(
        r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", _SECTIONS[spec.name], flags=re.MULTILINE
    )
    assert told == [
        (name, _value(field.default), _range(field), field.description)
        for name, field in spec.options.model_fields.items()
    ]
    if issubclass(spec, TrainingLoss):
        assert ("takes a miner" in section) == spec.mined
        assert ("Of normalised embeddings" in section) == spec.normalised
        assert ("learns weights of each class" in section) == spec.needs_labels_as_classes


def test_every_miner_has_its_row() -> None:
    rows = {
        name: row
        for name, row in re.findall(r"^\| `([\w-]+)` (\| .* \|)$", PAGE, flags=re.MULTILINE)
        if name in MINERS
    }
    assert list(rows) == list(MINERS)
    for name, spec in MINERS.items():
        assert f"| {spec.title} | {spec.source} |" in rows[name]
        for option, field in spec.options.model_fields.items():
            told = f"`{option}` ({_value(field.default)}; {_range(field)}): {field.description}"
            assert told in rows[name]


def _range(field: FieldInfo) -> str:
    words = []
    for bound in field.metadata:
        match bound:
            case bounds.Ge(ge=least):
                words.append(f"{least} or more")
            case bounds.Gt(gt=least):
                words.append(f"above {least}")
            case bounds.Le(le=most):
                words.append(f"at most {most:,.10g}")
            case bounds.Lt(lt=most):
                words.append(f"below {most}")
            case _:
                raise AssertionError(bound)
    return ", ".join(words) or "yes or no"


def _value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.10g}"
