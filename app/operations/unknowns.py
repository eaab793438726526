"""Unknown faces: keep faces that match no enrolled person, and name them later."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog

from app.errors import (
    CollectionNotFound,
    DatabaseUnavailable,
    EmbedderMismatch,
    IndexUnavailable,
)
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import KnownFace
from app.gallery.people.enrolment_guards import Refusal
from app.gallery.records import EVERYBODY, NewIdentity
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import Sighting
from app.operations.enroll.crop_vault import CropVault
from app.operations.enroll.enroller import EnrolledFace, Enrollment
from app.operations.identify.blocking_search import Decided
from app.operations.policy.decisions import Decision, SearchOptions, Status
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.types import EmbeddedPhoto, Embedding, FaceQuality
from app.runtime.threads import writing

_log = structlog.get_logger(__name__)


KEPT_FROM: Final = QualityFilter.AUTO
"""The quality that an unknown face must have to be kept, whatever the request demands: faces of a
group may be enrolled, and enrolment demands this quality."""


class UnknownKeeper:
    """Keeps faces that a search found unknown, before the answer, which names their groups.

    `vault` seals their crops, where a collection keeps them; without one, none are kept.
    """

    def __init__(
        self, gallery: Gallery, unknowns: Unknowns, vault: CropVault | None = None
    ) -> None:
        self._gallery = gallery
        self._unknowns = unknowns
        self._vault = vault

    @property
    def can_seal_crops(self) -> bool:
        return self._vault is not None

    def keeps_crops(self, collection: str) -> bool:
        """Return whether a crop of an unknown face would be kept. Blocks.

        Raises CollectionNotFound and EmbedderMismatch.
        """
        if self._vault is None:
            return False
        options = self._gallery.collections.require(collection).options.unknowns
        return options.keep and options.crops

    def keep(
        self,
        collection: str,
        seen: Sequence[Sighting | None],
        decided: Decided,
        options: SearchOptions,
    ) -> list[Decision]:
        """Keep faces, and return the decisions with the groups of the kept ones. Blocks.

        `seen` has None for a face that is not to be kept. Only strangers are kept: a face is none
        if it reaches the threshold of grouping among all people, even if a filter left the person
        out or the threshold of the search is higher.
        """
        unknown = unknown_faces(seen, decided.decisions)
        groups: dict[int, str] = {}
        if unknown:
            try:
                groups = self._keep(collection, unknown, decided, options)
            except (
                DatabaseUnavailable,
                IndexUnavailable,
                CollectionNotFound,
                EmbedderMismatch,
            ) as error:
                # Only log it: the search is done.
                _log.warning("unknown_not_kept", collection=collection, cause=str(error))
        return [
            replace(decision, unknown_group_id=groups.get(place))
            for place, decision in enumerate(decided.decisions)
        ]

    def _keep(
        self,
        collection: str,
        seen: Mapping[int, Sighting],
        decided: Decided,
        options: SearchOptions,
    ) -> dict[int, str]:
        """Keep the strangers, and return the ids of their groups, by place."""
        decisions = [decided.decisions[place] for place in seen]
        if options.stages[-1].wanted == EVERYBODY:  # the decisions are of the last stage
            found = [decision.candidates for decision in decisions]
        else:
            query = PeopleQuery(1, datetime.now(UTC))
            found = self._gallery.search.find(collection, list(seen.values()), query).candidates
        threshold = decided.policy.alike()
        if threshold is None:
            threshold = max(decision.threshold for decision in decisions)
        strangers = {}
        for (place, sighting), candidates in zip(seen.items(), found, strict=True):
            nearest = next(iter(candidates), None)
            if nearest is None or nearest.similarity < threshold:
                strangers[place] = replace(
                    sighting,
                    similarity=None if nearest is None else nearest.similarity,
                    nearest_identity_id=None if nearest is None else nearest.identity.id,
                    terminal_id=options.terminal_id,
                )
        if not strangers:
            return {}
        if decided.basis.options.unknowns.crops and self._vault is None:
            _log.warning("crops_not_kept", collection=collection, remedy="set VULTUS_CROPS_KEY")
        groups = self._unknowns.keep(
            collection,
            [self._sealed(sighting) for sighting in strangers.values()],
            threshold,
            digest=decided.basis.model.digest,
        )
        # There are no groups if the collection does not keep unknown faces any more.
        return dict(zip(strangers, groups, strict=False))

    def _sealed(self, sighting: Sighting) -> Sighting:
        """The sighting with its crop sealed, if it has one."""
        if self._vault is None or sighting.wide_crop is None:
            return sighting
        face_id = uuid4().hex
        sealed = self._vault.seal(face_id, sighting.wide_crop)
        return replace(sighting, face_id=face_id, sealed_crop=sealed, wide_crop=None)


def unknown_faces(
    seen: Sequence[Sighting | None], decisions: Sequence[Decision]
) -> dict[int, Sighting]:
    """The unknown faces to keep, by place; `seen` may be empty."""
    return {
        place: sighting
        for place, (sighting, decision) in enumerate(zip(seen, decisions, strict=False))
        if sighting is not None and decision.status is Status.UNKNOWN
    }


def worth_keeping(seen: Sequence[tuple[Sighting, FaceQuality]]) -> list[Sighting | None]:
    """The sightings that are good enough to be kept; None in the place of the others."""
    return [None if shortcomings(quality, KEPT_FROM) else sighting for sighting, quality in seen]


class UnknownNamer:
    """Makes people of groups of unknown faces."""

    def __init__(self, unknowns: Unknowns) -> None:
        self._unknowns = unknowns

    async def name(
        self,
        collection: str,
        group_id: str,
        who: NewIdentity | str,
        face_ids: Sequence[str] | None,
    ) -> Enrollment:
        """Enroll a group, or some of its faces; see `Unknowns.name`.

        The places of the faces are those in the group, oldest first, or in `face_ids`.
        """
        identity, outcomes = await writing(self._unknowns.name, collection, group_id, who, face_ids)
        enrolled = tuple(
            EnrolledFace(outcome.face, place, already_enrolled=True)
            if isinstance(outcome, KnownFace)
            else EnrolledFace(outcome, place)
            for place, outcome in enumerate(outcomes)
            if not isinstance(outcome, Refusal)  # there are no guards here
        )
        return Enrollment(identity, enrolled, ())


def seen_in_photo(photo: EmbeddedPhoto) -> list[Sighting]:
    return [
        Sighting(
            embedding=face.embedding,
            image_sha256=photo.sha256,
            place=place,
            box=face.face.box,
            detection_score=face.face.score,
            next_embedding=face.next_embedding,
            wide_crop=face.wide_crop,
        )
        for place, face in enumerate(photo.faces)
    ]


def seen_alone(embedding: Embedding) -> Sighting:
    """The sighting of an embedding without a photo."""
    return Sighting(embedding, hashlib.sha256(to_bytes(embedding)).hexdigest())
