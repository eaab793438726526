"""The gallery doctor: what may be wrong in a gallery."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.errors import ThresholdRequired
from app.gallery.doctor import Checkup, DoctorRules, Finding, FindingKind
from app.gallery.gallery import Gallery
from app.gallery.store.repositories.page_cursors import encode_cursor
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.thresholds import Thresholds
from app.runtime.threads import Work, threads

_PIECE_S = 2.0

ADVICE: Final[Mapping[FindingKind, str]] = MappingProxyType(
    {
        FindingKind.MISLABEL: "probably a photo of the other person: look at both, and move this "
        "face to them",
        FindingKind.DUPLICATE: "probably one person under two names: look at both, and merge them",
        FindingKind.OUTLIER: "unlike the person's other faces: another person, or a poor photo; "
        "look at it, and delete this face, or move it to whom it shows, unless it is them",
        FindingKind.LOOK_ALIKE: "two people who are easily taken for each other: add more photos "
        "of both, and ask for a second factor where it matters",
    }
)
"""A text on each kind of finding, for all readers. The edges word how to call for a correction."""


class GalleryExaminer:
    """Looks for mislabelled faces, people under two names, outliers and look-alikes."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator) -> None:
        self._gallery = gallery
        self._calibrator = calibrator

    async def page(
        self, collection: str, *, limit: int, cursor: str | None, within_s: float
    ) -> Checkup:
        """Some people, from the cursor on.

        Raises CollectionNotFound, EmbedderMismatch, and ThresholdRequired where nobody has measured
        which similarities count.
        """

        def examine() -> Checkup:
            rules = doctor_rules(self._calibrator.thresholds(collection))
            return self._gallery.search.examine(
                collection, rules, limit=limit, cursor=cursor, within_s=within_s
            )

        return await threads().run(Work.DOCTOR, examine)

    async def pages(self, collection: str, *, limit: int) -> AsyncIterator[Checkup]:
        """All of them, until there are `limit` findings."""
        cursor: str | None = None
        while limit > 0:
            page = await self.page(collection, limit=limit, cursor=cursor, within_s=_PIECE_S)
            yield page
            if page.next_after is None:
                return
            limit -= len(page.findings)
            cursor = encode_cursor(page.next_after)


def doctor_rules(thresholds: Thresholds) -> DoctorRules:
    """Raises ThresholdRequired where nobody has measured which similarities count."""
    resembles = thresholds.resembling()
    another = thresholds.alike()
    if resembles is None or another is None:
        raise ThresholdRequired(
            f"the error rates of {thresholds.embedder} were not measured, so it has no default "
            "threshold",
            settings=["VULTUS_THRESHOLDS__VERIFY", "VULTUS_THRESHOLDS__IDENTIFY"],
        )
    return DoctorRules(min(resembles, another), another)


@dataclass(frozen=True, slots=True)
class MergePeople:
    """Make `source` part of `into`, unless one of them changed after `if_revision`."""

    into: str
    source: str
    if_revision: int


@dataclass(frozen=True, slots=True)
class MoveFace:
    """Give a face to another person."""

    face_id: str
    identity_id: str


@dataclass(frozen=True, slots=True)
class DeleteFace:
    identity_id: str
    face_id: str


Correction = MergePeople | MoveFace | DeleteFace
"""A correction of a finding; the edges say how to call for it."""


def correction(finding: Finding, revision: int) -> Correction | None:
    """What to do about a finding of this revision; None where a person has to think first.

    Of two names for one person, the one with an external_id stays, else the one enrolled first.
    """
    other, face_id = finding.other, finding.face_id
    if finding.kind is FindingKind.DUPLICATE and other is not None:
        into, source = finding.identity, other
        if into.external_id is None and source.external_id is not None:
            into, source = source, into
        return MergePeople(into.identity_id, source.identity_id, revision)
    if finding.kind is FindingKind.MISLABEL and other is not None and face_id is not None:
        return MoveFace(face_id, other.identity_id)
    if finding.kind is FindingKind.OUTLIER and face_id is not None:
        return DeleteFace(finding.identity.identity_id, face_id)
    return None
