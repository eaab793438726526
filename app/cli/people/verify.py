"""`vultus verify`."""

from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from app.cli.output import print_json, results, say
from app.cli.people.read_photo import read_photo
from app.cli.remedies import TERMINAL
from app.cli.session import require_one_at_most, with_services
from app.operations.identify.verifier import Verification, VerifyStatus
from app.operations.identify.verify_options import VerifyOptions
from app.services import Services


def verify(
    *,
    a: Path,
    b: Path,
    options: VerifyOptions,
    as_json: bool,
) -> None:
    """Say whether two photos show the same person.

    Exit status 0: match, 3: no match, 4: a face is too bad to be compared.
    """

    async def use(services: Services) -> Verification:
        return await services.verify.images(photo_a, photo_b, options)

    require_one_at_most(options.threshold, options.target_fmr, rate="--target-fmr")
    photo_a, photo_b = read_photo(a), read_photo(b)
    done = with_services(use)
    if as_json:
        print_json(
            {
                "status": done.status,
                "match": done.match,
                "similarity": done.similarity,
                "threshold": done.threshold,
                "fmr": None if done.fmr is None else done.fmr.value,
                "rate_reason": done.rate_reason,
                "comparisons": [
                    {"faces": list(found.indices), "similarity": found.similarity}
                    for found in done.comparisons
                ],
                "rejected": [
                    {
                        "photo": str((a, b)[image.image_index or 0]),
                        "reasons": list(image.reasons),
                        "detail": TERMINAL.detail_of_image(image),
                    }
                    for image in done.rejected
                ],
            }
        )
    elif done.similarity is None:
        for image in done.rejected:
            results.print(Text("rejected ", style="bold"), end="")
            say(f"{(a, b)[image.image_index or 0]}: {TERMINAL.detail_of_image(image)}")
    else:
        verdict = (
            Text("match", style="bold green") if done.match else Text("no match", style="bold")
        )
        chance = (
            f"; no error rate ({done.rate_reason})"
            if done.fmr is None
            else f"; strangers are as alike at a rate of {done.fmr.value:.1g}"
        )
        results.print(
            verdict,
            f" similarity {done.similarity:.4f}, threshold {done.threshold:.4f}{chance}",
        )
    raise typer.Exit(_EXIT[done.status])


_EXIT: Final = {VerifyStatus.MATCH: 0, VerifyStatus.NO_MATCH: 3, VerifyStatus.REJECTED: 4}
