"""`vultus identify`."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from app.api.schemas.identify import IdentifyAnswer
from app.cli.output import show
from app.cli.people.photo_arguments import read_photo, require_one_at_most
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.gallery.records import Identity
from app.operations.identify.identifier import Identification
from app.operations.policy.decisions import SearchOptions
from app.operations.policy.face_rules import QualityFilter
from app.recognition.detection import Detection


def identify(
    image: Path,
    collection: str,
    options: SearchOptions,
    quality_filter: QualityFilter,
    detection: Detection,
    *,
    as_json: bool,
) -> None:
    """Identify every face of a photo."""
    require_one_at_most(options.threshold, options.target_fpir, rate="--target-fpir")
    photo = read_photo(image)
    done = with_services(
        lambda services: services.identify.photo(
            collection, photo, options, quality_filter=quality_filter, detection=detection
        )
    )
    show(IdentifyAnswer.of(done, TERMINAL), *_texts(done), as_json=as_json)


def _texts(done: Identification) -> Iterator[RenderableType]:
    if not done.faces:
        yield "No face was found."
        return
    yield _table(done)
    if len(done.faces) < done.faces_found:
        yield (
            f"{done.faces_found} faces were found; the largest {len(done.faces)} were looked up "
            "(VULTUS_LIMITS__MAX_FACES)."
        )


def _table(done: Identification) -> Table:
    table = Table("face at", "status", "who", "similarity", "threshold", "next candidates")
    for face in done.faces:
        decision = face.decision
        others = decision.candidates[0 if decision.identity is None else 1 :]
        table.add_row(
            ", ".join(f"{edge:.0f}" for edge in face.face.box),
            ": ".join((decision.status, *decision.reasons[:1])),
            "" if decision.identity is None else _name(decision.identity),
            "" if decision.similarity is None else f"{decision.similarity:.4f}",
            f"{decision.threshold:.4f}",
            ", ".join(f"{_name(other.identity)} {other.similarity:.4f}" for other in others),
        )
    return table


def _name(person: Identity) -> str:
    return person.name or person.external_id or person.id
