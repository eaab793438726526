"""`vultus verify`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import print_json, results
from app.cli.session import require_one_at_most, with_services
from app.operations.quality_filter import QualityFilter
from app.operations.single_face import FaceRule
from app.operations.verify import Verification
from app.services import Services


def verify(
    a: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")],
    b: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another one.")],
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least similarity of a match.")
    ] = None,
    target_fmr: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Instead of it: the share of strangers who may match."),
    ] = None,
    faces: Annotated[
        FaceRule, typer.Option(help="A photo of several faces: refuse it, or take the largest.")
    ] = FaceRule.SINGLE,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good the faces must be.")
    ] = QualityFilter.NONE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether two photos show the same person. Exit status 0: match, 3: no match."""

    async def use(services: Services) -> Verification:
        return await services.verify.images(
            a.read_bytes(),
            b.read_bytes(),
            rule=faces,
            threshold=threshold,
            target_fmr=target_fmr,
            quality_filter=quality_filter,
        )

    require_one_at_most(threshold, target_fmr, rate="--target-fmr")
    done = with_services(use)
    if as_json:
        print_json(
            {
                "match": done.match,
                "similarity": done.similarity,
                "threshold": done.threshold,
                "fmr": None if done.fmr is None else done.fmr.value,
            }
        )
    else:
        verdict = "[bold green]match[/]" if done.match else "[bold]no match[/]"
        chance = (
            ""
            if done.fmr is None
            else f"; strangers are as alike at a rate of {done.fmr.value:.1g}"
        )
        results.print(
            f"{verdict}  similarity {done.similarity:.4f}, threshold {done.threshold:.4f}{chance}"
        )
    raise typer.Exit(0 if done.match else 3)
