"""`vultus identify`."""

from pathlib import Path

from rich.table import Table

from app.cli.output import print_json, results
from app.cli.people.read_photo import read_photo
from app.cli.session import require_one_at_most, with_services
from app.operations.identify.identifier import Identification, IdentifiedFace
from app.operations.policy.decisions import SearchOptions
from app.operations.policy.face_rules import QualityFilter
from app.services import Services


def identify(
    *,
    image: Path,
    collection: str,
    top_k: int,
    threshold: float | None,
    target_fpir: float | None,
    quality_filter: QualityFilter,
    as_json: bool,
) -> None:
    """Say of every face in a photo who it is, or that it is unknown."""

    async def use(services: Services) -> Identification:
        return await services.identify.photo(
            collection,
            photo,
            SearchOptions(top_k=top_k, threshold=threshold, target_fpir=target_fpir),
            quality_filter=quality_filter,
        )

    require_one_at_most(threshold, target_fpir, rate="--target-fpir")
    photo = read_photo(image)
    done = with_services(use)
    if as_json:
        print_json(
            {
                "faces_found": done.faces_found,
                "faces_used": len(done.faces),
                "faces": [_as_json(face) for face in done.faces],
            }
        )
        return
    if not done.faces:
        results.print("No face was found.")
        return
    results.print(_table(done))
    if len(done.faces) < done.faces_found:
        results.print(
            f"{done.faces_found} faces were found; the largest {len(done.faces)} were looked up "
            "(VULTUS_LIMITS__MAX_FACES)."
        )


def _table(done: Identification) -> Table:
    table = Table("face at", "status", "who", "similarity", "threshold", "next candidates")
    for face in done.faces:
        decision = face.decision
        identity = decision.identity
        similarity = "" if decision.similarity is None else f"{decision.similarity:.4f}"
        others = decision.candidates[0 if identity is None else 1 :]
        table.add_row(
            ", ".join(f"{edge:.0f}" for edge in face.face.box),
            ": ".join((decision.status, *decision.reasons[:1])),
            "" if identity is None else identity.name or identity.external_id or identity.id,
            similarity,
            f"{decision.threshold:.4f}",
            ", ".join(
                f"{other.identity.name or other.identity.external_id or other.identity.id} "
                f"{other.similarity:.4f}"
                for other in others
            ),
        )
    return table


def _as_json(found: IdentifiedFace) -> dict[str, object]:
    decision = found.decision
    identity = decision.identity
    return {
        "box": found.face.box,
        "status": decision.status,
        "identity_id": None if identity is None else identity.id,
        "external_id": None if identity is None else identity.external_id,
        "name": None if identity is None else identity.name,
        "similarity": decision.similarity,
        "threshold": decision.threshold,
        "fpir": None if decision.fpir is None else decision.fpir.value,
        "rate_reason": decision.rate_reason,
        "quality": found.quality.unified,
        "reasons": list(decision.reasons),
        "detail": decision.detail,
    }
