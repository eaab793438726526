"""`vultus models`: networks that can be used, trained, compared and added."""

from dataclasses import dataclass
from pathlib import Path

import typer
from rich.table import Column, Table

from app.api.schemas.models import ModelsAnswer
from app.cli.configuration import load_settings
from app.cli.library_errors import library_errors
from app.cli.output import show
from app.operations.rollout.embedder_choice import choose_embedder
from app.recognition.build import known_networks
from models.training.register import add_run
from models.training.results.compare_runs import Comparison, compare_runs
from models.training.results.metric_names import METRICS
from models.zoo.adding import Naming, add_onnx, add_weights
from models.zoo.architectures import ARCHITECTURES, Recipe, find_architecture
from models.zoo.names import Colours, TemplateName
from models.zoo.serving.onnx_network import OnnxOptions


def list_(*, as_json: bool) -> None:
    """List the embedders that VULTUS_EMBEDDER can name."""
    settings = load_settings()
    choice = choose_embedder(settings)
    known = known_networks(settings.resolved_weights_dir)
    # Names that VULTUS_EMBEDDER takes are shown whole, however narrow the terminal is.
    name_column = Column("embedder", no_wrap=True)
    table = Table(name_column, "dimension", "description", "licence", "trained on", "calibrated on")
    for one in known:
        table.add_row(
            f"{one.name} *" if one.name == choice.name else one.name,
            str(one.dimension or ""),
            one.description,
            one.license,
            one.training_data,
            one.calibration.source if one.calibration else "",
        )
    reason = f"* VULTUS_EMBEDDER is {settings.embedder}: {choice.ground.value}"
    answer = ModelsAnswer.listed(known, choice, detector=settings.detector.name)
    show(answer, table, reason, as_json=as_json)


def networks(*, as_json: bool) -> None:
    """List the networks that vultus train can build."""
    table = Table("network.name", "dimension", "crop", "description")
    answer = []
    for one in ARCHITECTURES.values():
        size_px = one.input.size_px
        table.add_row(one.name, str(one.dimension), f"{size_px} px", one.description)
        answer.append(
            {
                "name": one.name,
                "description": one.description,
                "dimension": one.dimension,
                "size_px": size_px,
            }
        )
    show(answer, table, as_json=as_json)


def compare(runs: list[Path], *, as_json: bool) -> None:
    """Compare runs: the options in which they differ, and the figures of each."""
    with library_errors():
        comparison = compare_runs(runs)
    show(comparison.to_json(), _comparison_table(comparison), as_json=as_json)


@dataclass(frozen=True, slots=True)
class WeightsOptions:
    """The network of a file of weights that does not describe it."""

    network: str | None = None
    dimension: int | None = None
    no_mirror_average: bool = False


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """The crops that an .onnx file takes; None: as its metadata say, or the default."""

    mean: str | None = None
    std: str | None = None
    channels: Colours | None = None
    template: TemplateName | None = None
    mirror_average: bool = False

    def options(self, size_px: int | None) -> OnnxOptions:
        return OnnxOptions(
            size_px=size_px,
            mean=_channel_values(self.mean, "--mean"),
            std=_channel_values(self.std, "--std"),
            colours=self.channels or "rgb",
            mirror_average=self.mirror_average,
            template=self.template or "arcface",
        )


def add(
    source: Path,
    naming: Naming,
    weights: WeightsOptions,
    graph: GraphOptions,
    *,
    size_px: int | None,
    as_json: bool,
) -> None:
    """Register a run, a file of weights, or an .onnx file."""
    weights_dir = load_settings().resolved_weights_dir
    is_graph = source.suffix == ".onnx"
    if not is_graph and graph != GraphOptions():
        raise typer.BadParameter(
            "--mean, --std, --channels, --template and --mirror-average are for .onnx files; other "
            "files say this themselves"
        )
    if is_graph and weights != WeightsOptions():
        raise typer.BadParameter(
            "--network, --dimension and --no-mirror-average are not for .onnx files"
        )
    with library_errors():
        if source.is_dir():
            card = add_run(source, naming, weights_dir)
        elif is_graph:
            card = add_onnx(source, naming, weights_dir, graph.options(size_px))
        else:
            recipe = _recipe(weights, size_px)
            mirrored = not weights.no_mirror_average
            card = add_weights(source, naming, weights_dir, recipe=recipe, mirror_average=mirrored)
    texts = [f"{card.name}: {card.description}", f"SHA-256 {card.digest}"]
    if card.calibration is None:
        texts.append(
            f"not calibrated: VULTUS_EMBEDDER={card.name} vultus calibrate FOLDER measures its "
            "error rates"
        )
    show(card, *texts, as_json=as_json)


def _channel_values(text: str | None, option: str) -> tuple[float, float, float] | None:
    """Parse three numbers with commas, in brackets or not, or one for all channels."""
    if text is None:
        return None
    parts = text.strip().removeprefix("[").removesuffix("]").split(",")
    try:
        first, second, third = map(float, parts * 3 if len(parts) == 1 else parts)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option} takes one number or three, as 127.5,127.5,127.5"
        ) from error
    return first, second, third


def _recipe(weights: WeightsOptions, size_px: int | None) -> Recipe | None:
    if weights.network is None:
        return None
    architecture = find_architecture(weights.network)
    try:
        side = architecture.input_at(size_px).size_px
    except ValueError as error:
        raise typer.BadParameter(f"--size-px: {error}") from error
    length = weights.dimension or architecture.dimension
    return Recipe(weights.network, side, length, length)


def _comparison_table(comparison: Comparison) -> Table:
    """Make a table with a column for each run."""
    runs = comparison.runs
    table = Table("", *(run.name for run in runs))
    for option in runs[0].choices if runs else ():
        table.add_row(option, *(str(run.choices[option]) for run in runs))
    table.add_section()
    table.add_row("best epoch", *(str(run.epoch) for run in runs))
    table.add_row("seconds", *(f"{run.seconds:.0f}" for run in runs))
    for title, figures in (
        ("chosen by", [run.choose for run in runs]),
        ("tested on", [run.test for run in runs]),
    ):
        table.add_section()
        for metric, name in METRICS.items():
            if any(metric in line for line in figures):
                values = (f"{line[metric]:.4f}" if metric in line else "" for line in figures)
                table.add_row(f"{name}, {title}", *values)
    if not comparison.same_people:
        table.caption = (
            "NOT comparable: the runs were measured on different people (photos, seed or shares)"
        )
    return table
