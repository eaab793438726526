"""`vultus verify`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from app.api.schemas.verify import VerifyAnswer
from app.cli.output import show
from app.cli.people.photo_arguments import read_photo, require_one_at_most
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.observe.plain_text import plain
from app.operations.identify.verification import Verification, VerifyStatus
from app.operations.identify.verify_options import VerifyOptions

_EXIT: Final = {VerifyStatus.MATCH: 0, VerifyStatus.NO_MATCH: 3, VerifyStatus.REJECTED: 4}


def verify(a: Path, b: Path, options: VerifyOptions, *, as_json: bool) -> None:
    """Compare two photos. The exit status is the verdict."""
    require_one_at_most(options.threshold, options.target_fmr, rate="--target-fmr")
    photo_a, photo_b = read_photo(a), read_photo(b)
    done = with_services(lambda services: services.verify.images(photo_a, photo_b, options))
    show(VerifyAnswer.of(done, TERMINAL), *_texts(done, (a, b)), as_json=as_json)
    raise typer.Exit(_EXIT[done.status])


def _texts(done: Verification, photos: tuple[Path, Path]) -> Iterator[Text]:
    if done.similarity is None:
        for image in done.rejected:
            photo = photos[image.image_index or 0]
            reason = TERMINAL.detail_of_image(image)
            yield Text.assemble(("rejected ", "bold"), plain(f"{photo}: {reason}"))
        return
    chance = (
        f"; no error rate ({done.rate_reason})"
        if done.fmr is None
        else f"; strangers are as alike at a rate of {done.fmr.value:.1g}"
    )
    yield Text.assemble(
        ("match", "bold green") if done.match else ("no match", "bold"),
        f"  similarity {done.similarity:.4f}, threshold {done.threshold:.4f}{chance}",
    )
