"""`vultus models`: networks that can be used, trained, compared and added."""

from pathlib import Path

import typer
from rich.table import Column, Table

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.cli.science.training_session import told
from app.operations.rollout.embedder_choice import choose_embedder
from app.recognition.build import known_models
from models.training.register import add_run
from models.training.results.compare_runs import Comparison, compare_runs
from models.training.results.metric_names import METRICS
from models.zoo.adding import Naming, add_onnx, add_weights
from models.zoo.architectures import ARCHITECTURES, Recipe, find_architecture
from models.zoo.cards import NetworkCard
from models.zoo.names import Colours, TemplateName
from models.zoo.serving.onnx_network import OnnxOptions


def list_(*, as_json: bool) -> None:
    """The embedders that VULTUS_EMBEDDER can name, trained ones among them."""
    settings = load_settings()
    choice = choose_embedder(settings)
    known = known_models(active=choice.name, weights_dir=settings.resolved_weights_dir)
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "description": one.description,
                    "license": one.license,
                    "training_data": one.training_data,
                    "dimension": one.dimension,
                    "active": one.active,
                    "chosen_by": choice.by.value if one.active else None,
                    "measured_on": one.measured_on,
                }
                for one in known
            ]
        )
        return
    # What VULTUS_EMBEDDER can name is shown whole, however narrow the terminal is.
    name_column = Column("embedder", no_wrap=True)
    table = Table(name_column, "dimension", "description", "licence", "trained on", "calibrated on")
    for one in known:
        name = f"{one.name} *" if one.active else one.name
        table.add_row(
            name,
            str(one.dimension or ""),
            one.description,
            one.license,
            one.training_data,
            one.measured_on or "",
        )
    results.print(table)
    results.print(f"* VULTUS_EMBEDDER is {settings.embedder}: {choice.ground.value}")


def networks(*, as_json: bool) -> None:
    """The networks that vultus train can build."""
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "description": one.description,
                    "dimension": one.dimension,
                    "size_px": one.input.size_px,
                }
                for one in ARCHITECTURES.values()
            ]
        )
        return
    table = Table("network.name", "dimension", "crop", "description")
    for one in ARCHITECTURES.values():
        table.add_row(one.name, str(one.dimension), f"{one.input.size_px} px", one.description)
    results.print(table)


def compare(*, runs: list[Path], as_json: bool) -> None:
    """Runs side by side: the options in which they differ, and the figures of each."""
    with told():
        comparison = compare_runs(runs)
    if as_json:
        print_json(comparison.to_json())
    else:
        results.print(_comparison_table(comparison))


def add(
    *,
    source: Path,
    naming: Naming,
    network: str | None,
    dimension: int | None,
    size_px: int | None,
    no_mirror_average: bool,
    mirror_average: bool,
    mean: str | None,
    std: str | None,
    channels: Colours | None,
    template: TemplateName | None,
    as_json: bool,
) -> None:
    """Register a run, a file of weights, or an .onnx file."""
    weights_dir = load_settings().resolved_weights_dir
    is_graph = source.suffix == ".onnx"
    if not is_graph and any((mean, std, channels, template, mirror_average)):
        raise typer.BadParameter(
            "--mean, --std, --channels, --template and --mirror-average are for .onnx files; other "
            "files say this themselves"
        )
    if is_graph and any((network, dimension, no_mirror_average)):
        raise typer.BadParameter(
            "--network, --dimension and --no-mirror-average are not for .onnx files"
        )
    with told():
        if source.is_dir():
            card = add_run(source, naming, weights_dir)
        elif is_graph:
            options = OnnxOptions(
                size_px=size_px,
                mean=_channel_values(mean, "--mean"),
                std=_channel_values(std, "--std"),
                colours=channels or "rgb",
                mirror_average=mirror_average,
                template=template or "arcface",
            )
            card = add_onnx(source, naming, weights_dir, options)
        else:
            recipe = None if network is None else _recipe(network, dimension, size_px)
            mirrored = not no_mirror_average
            card = add_weights(source, naming, weights_dir, recipe=recipe, mirror_average=mirrored)
    if as_json:
        print_json(card.model_dump(mode="json"))
    else:
        _tell(card)


def _channel_values(text: str | None, option: str) -> tuple[float, float, float] | None:
    """Three numbers with commas, in brackets or not, or one for all channels."""
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


def _recipe(network: str, dimension: int | None, size_px: int | None) -> Recipe:
    architecture = find_architecture(network)
    try:
        side = architecture.input_at(size_px).size_px
    except ValueError as error:
        raise typer.BadParameter(f"--size-px: {error}") from error
    length = dimension or architecture.dimension
    return Recipe(network, side, length, length)


def _tell(card: NetworkCard) -> None:
    results.print(f"{card.name}: {card.description}")
    results.print(f"SHA-256 {card.digest}", soft_wrap=True)
    if card.calibration is None:
        results.print(
            f"not calibrated: VULTUS_EMBEDDER={card.name} vultus calibrate FOLDER measures its "
            "error rates",
            soft_wrap=True,
        )


def _comparison_table(comparison: Comparison) -> Table:
    """A column a run."""
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
