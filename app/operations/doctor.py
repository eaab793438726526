"""The gallery doctor: possible errors in a gallery, and their corrections."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from app.gallery.dismissals import NoFindings
from app.gallery.doctor import Checkup, DoctorPolicy, Finding, FindingKind
from app.gallery.gallery import Gallery
from app.gallery.store.statements.page_cursors import encode_cursor
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import shown, shown_from
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
"""Advice on each kind of finding, for all readers. The API and the command line add the call of the
correction."""


class GalleryExaminer:
    """Finds mislabelled faces, people under two names, outliers and look-alikes."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator) -> None:
        self._gallery = gallery
        self._calibrator = calibrator

    async def page(
        self, collection: str, *, limit: int, cursor: str | None, within_s: float
    ) -> Checkup:
        """Examine people from the cursor on, for some time or up to `limit` findings.

        Raises CollectionNotFound, EmbedderMismatch, and ThresholdRequired if the embedder was not
        measured.
        """

        def examine() -> Checkup:
            thresholds = self._calibrator.thresholds(collection)
            policy = doctor_policy(thresholds)
            checkup = self._gallery.search.examine(
                collection, policy, limit=limit, cursor=cursor, within_s=within_s
            )
            least = shown_from(thresholds)
            return replace(
                checkup, findings=tuple(_disclosed(one, least) for one in checkup.findings)
            )

        return await threads().run(Work.DOCTOR, examine)

    async def pages(self, collection: str, *, limit: int) -> AsyncIterator[Checkup]:
        """Examine all people, up to `limit` findings."""
        cursor: str | None = None
        while limit > 0:
            page = await self.page(collection, limit=limit, cursor=cursor, within_s=_PIECE_S)
            yield page
            if page.next_after is None:
                return
            limit -= len(page.findings)
            cursor = encode_cursor(page.next_after)


def _disclosed(finding: Finding, least: float | None) -> Finding:
    """The finding, with what the present caller may know of its similarities."""
    of_other, own = (
        None if value is None else shown(value, least, finding.threshold)
        for value in (finding.similarity, finding.own_similarity)
    )
    return replace(finding, similarity=of_other, own_similarity=own, shown_from=least)


def doctor_policy(thresholds: Thresholds) -> DoctorPolicy:
    """The similarities of findings. Raises ThresholdRequired if the embedder was not measured."""
    resembles = thresholds.resembling()
    another = thresholds.alike()
    if resembles is None or another is None:
        raise thresholds.not_measured("VERIFY", "IDENTIFY")
    return DoctorPolicy(min(resembles, another), another)


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
"""A correction of a finding; the API and the command line word its call."""


def correction(finding: Finding, revision: int) -> Correction | None:
    """The correction of a finding of this revision; None where it takes a person to decide.

    Of two entries of one person, the one with an external_id stays, else the one enrolled first.
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


def dismissal(finding: Finding) -> NoFindings:
    """What is dismissed if a person finds that it is no mistake: a pair of people, or a face."""
    if finding.face_id is not None:
        return NoFindings(face_ids=(finding.face_id,))
    assert finding.other is not None
    return NoFindings(pairs=((finding.identity.identity_id, finding.other.identity_id),))
