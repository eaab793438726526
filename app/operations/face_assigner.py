"""Assign faces that are nobody's to people, release them, and dissolve people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.gallery.gallery import Gallery
from app.gallery.people.assignment_records import AssignmentRule, Dissolution, FaceAssignment
from app.gallery.store.idempotency import Once
from app.observe import request_scope
from app.observe.acting import sees_exact_similarities
from app.operations.enroll.guard_lookup import retry_after_switch
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import permitted
from app.runtime.threads import threads, work_of_erasure, writing


@dataclass(frozen=True, slots=True)
class AssignOptions:
    """How like the person a face must be.

    `threshold` is a similarity to the person's template, `target_fmr` a false match rate (0 to 1,
    exclusive); with neither, the defaults of verify decide. With `force`, each face is assigned,
    and marked if it is less alike. `most_faces`: see `AssignmentRule`.
    """

    threshold: float | None = None
    target_fmr: float | None = None
    force: bool = False
    most_faces: int | None = None


class FaceAssigner:
    """Assigns and releases faces. No method blocks."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator) -> None:
        self._gallery = gallery
        self._calibrator = calibrator

    async def assign(
        self,
        collection: str,
        who: str,
        face_ids: Sequence[str],
        options: AssignOptions,
        *,
        once: Once[FaceAssignment] | None = None,
    ) -> FaceAssignment:
        """Give faces that are nobody's to a person, by reference.

        Similarities are for callers who see them exactly. Raises as
        `FaceAssignments.assign` does, EmbedderMismatch, and ThresholdRequired where no threshold is
        known, unless by force.
        """

        def assign() -> FaceAssignment:
            request_scope.require_time()
            basis = self._gallery.collections.require(collection)
            policy = self._calibrator.resting_on(basis, collection)
            given = options.threshold, options.target_fmr
            knows = not options.force or policy.find_verify() is not None
            if knows:
                policy.for_verify(*given)  # raises also where no face is compared
            rule = AssignmentRule(
                basis.model.digest,
                (lambda examples: permitted(policy.for_verify(*given, examples=examples), policy))
                if knows
                else None,
                options.force,
                options.most_faces,
            )
            done = self._gallery.assignments.assign(
                collection, who, face_ids, rule, once=_disclosing(once)
            )
            return _disclosed(done)

        return await writing(retry_after_switch, assign)

    async def release(
        self,
        collection: str,
        who: str,
        face_ids: Sequence[str],
        *,
        once: Once[FaceAssignment] | None = None,
    ) -> FaceAssignment:
        """Make faces of a person nobody's. Raises as `FaceAssignments.release` does."""
        return await writing(
            self._gallery.assignments.release, collection, who, face_ids, once=once
        )

    async def dissolve(
        self,
        collection: str,
        who: str,
        *,
        compact: bool = False,
        once: Once[Dissolution] | None = None,
    ) -> Dissolution:
        """Delete a person and keep their faces, which are nobody's then.

        Raises as `FaceAssignments.dissolve` does.
        """
        return await threads().run(
            work_of_erasure(compact=compact),
            self._gallery.assignments.dissolve,
            collection,
            who,
            compact=compact,
            once=once,
        )


def _disclosing(once: Once[FaceAssignment] | None) -> Once[FaceAssignment] | None:
    """The same, so that no more is kept of the answer than is shown."""
    if once is None:
        return None
    return Once(once.ticket, lambda done: once.answer(_disclosed(done)))


def _disclosed(done: FaceAssignment) -> FaceAssignment:
    """Withhold how like the person each face is: the face of an embedding may be assigned, too, and
    the person's could be computed from such answers."""
    if sees_exact_similarities():
        return done
    return replace(done, faces=tuple(replace(face, similarity=None) for face in done.faces))
