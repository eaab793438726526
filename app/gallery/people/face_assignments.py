"""Assign enrolled faces that are nobody's yet to a person, and release the faces of a person.

A face is nobody's as long as its owner is an anonymous person, who was made for it. Each method is
one transaction under one revision of the collection. All methods block.
"""

from collections.abc import Sequence

from app.errors import InvalidRequest, TooManyFaces
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.people.assignment_records import (
    AssignedFace,
    AssignmentRule,
    Dissolution,
    FaceAssignment,
    FaceOutcome,
)
from app.gallery.people.enrolment import NewPerson, enroll_people, require_enrolled
from app.gallery.people.enrolment_guards import EmbedderSwitchedError
from app.gallery.people.erasure import erase_people
from app.gallery.people.face_handover import hand_over
from app.gallery.people.held_people import require_not_held
from app.gallery.people.named_faces import NamedFaces
from app.gallery.people.person_merge import absorb
from app.gallery.people.retention_rules import require_consent_of
from app.gallery.people.same_picture import Pictures
from app.gallery.records import Identity, NewIdentity
from app.gallery.search.person_template import similarity_to_template
from app.gallery.store.idempotency import Once
from app.gallery.store.storage import erases
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction


class FaceAssignments(GalleryPart):
    """The assignments of all collections of a gallery."""

    def assign(
        self,
        collection_name: str,
        who: str,
        face_ids: Sequence[str],
        rule: AssignmentRule,
        *,
        once: Once[FaceAssignment] | None = None,
    ) -> FaceAssignment:
        """Give faces that are nobody's to a person, by reference, as far as `rule` permits.

        They are compared with the person as they were before: to a person without a face, each is
        given. An anonymous person who has no face left becomes part of the person, as by a merge.
        Raises IdentityNotFound, InvalidRequest for an anonymous person, ConsentRequired,
        TooManyFaces, PersonHeld when an anonymous person is under a legal hold,
        EmbedderSwitchedError, and AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            if rule.digest != transaction.collection.digest:
                raise EmbedderSwitchedError(collection_name)
            owner = transaction.identities.get_living(who)
            _require_known(owner)
            require_consent_of(transaction, owner)
            named = NamedFaces(transaction, face_ids)
            verdicts = _verdicts(transaction, owner, named, rule)
            given = [face for face in verdicts if face.outcome is FaceOutcome.ASSIGNED]
            _give(transaction, owner, [named.rows[face.face_id] for face in given])
            done = FaceAssignment.of(transaction.identities.record(owner), verdicts)
            transaction.keep(once, done, owner.id)
        self.follow_change(collection_name)
        return done

    def release(
        self,
        collection_name: str,
        who: str,
        face_ids: Sequence[str],
        *,
        once: Once[FaceAssignment] | None = None,
    ) -> FaceAssignment:
        """Make faces of a person nobody's: each gets a new anonymous person, who expires no later.

        The person stays, even without a face. Raises IdentityNotFound, InvalidRequest for an
        anonymous person, PersonHeld, ConsentRequired where the collection demands a consent, and
        AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            owner = identities.get_living(who)
            _require_known(owner)
            named = NamedFaces(transaction, face_ids)
            leaving = [face for face in named.rows.values() if named.owner(face) is owner]
            if leaving:
                require_not_held(transaction, [owner])
            anonymous = _release(transaction, owner, leaving)
            if leaving:
                # Else what is left of a face in files would open after an erasure of its new owner.
                transaction.faces.renew_key(owner)
                identities.note_change(owner)
            outcomes = [
                AssignedFace(face_id, FaceOutcome.RELEASED, anonymous[face_id])
                if face_id in anonymous
                else _left_alone(named, face_id)
                for face_id in named.ids
            ]
            done = FaceAssignment(identities.record(owner), tuple(outcomes))
            transaction.keep(once, done, owner.id)
        self.follow_change(collection_name)
        return done

    @erases
    def dissolve(
        self,
        collection_name: str,
        who: str,
        *,
        compact: bool = False,
        once: Once[Dissolution] | None = None,
    ) -> Dissolution:
        """Delete a person and keep their faces, as `release` does.

        Raises IdentityNotFound, InvalidRequest for an anonymous person, PersonHeld,
        ConsentRequired, and AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            owner = transaction.identities.get(who)
            _require_known(owner)
            require_not_held(transaction, [owner])
            anonymous = _release(transaction, owner, transaction.faces.of_identity(owner))
            released = tuple(
                AssignedFace(face_id, FaceOutcome.RELEASED, whose)
                for face_id, whose in anonymous.items()
            )
            done = Dissolution(erase_people(transaction, [owner]), released)
            transaction.keep(once, done)
        self.follow_change(collection_name)
        erasure = self.finished(
            done.erasure, compact=compact, collection_number=transaction.collection.number
        )
        return Dissolution(erasure, released)


def _require_known(owner: IdentityTable) -> None:
    if owner.anonymous:
        raise InvalidRequest(f"identity {owner.id} is anonymous, so their faces are nobody's")


def _verdicts(
    transaction: Transaction, owner: IdentityTable, named: NamedFaces, rule: AssignmentRule
) -> list[AssignedFace]:
    """Return what is to become of each face, and mark those that are given by force."""
    own = transaction.faces.of_identity(owner)
    numbers = [face.number for face in (*own, *named.rows.values())]
    embeddings = transaction.faces.embeddings_of(numbers)
    examples = [embeddings[face.number] for face in own if face.number in embeddings]
    limit = None
    if examples and rule.threshold is not None:
        limit = max(rule.threshold(len(examples)), owner.threshold or -1.0)
    pictures = Pictures((face, embeddings.get(face.number)) for face in own)
    verdicts = []
    for face_id in named.ids:
        face = named.rows.get(face_id)
        if face is None or not named.owner(face).anonymous:
            verdicts.append(_not_free(named, face_id, owner))
            continue
        embedding = embeddings.get(face.number)
        similarity = None
        if limit is not None and embedding is not None:
            similarity = similarity_to_template(embedding, examples)
        is_unlike = limit is not None and similarity is not None and similarity < limit
        if pictures.find(None, embedding) is not None:
            outcome = FaceOutcome.SAME_PICTURE
        elif is_unlike and not rule.force:
            outcome = FaceOutcome.LOW_MATCH_CONFIDENCE  # also somebody else in the same photo
        elif pictures.find(face.image_sha256, None) is not None:
            outcome = FaceOutcome.SAME_PICTURE
        else:
            outcome = FaceOutcome.ASSIGNED
            face.forced = face.forced or is_unlike
            pictures.add(face, embedding)
        whose = named.record(face)
        verdicts.append(AssignedFace(face_id, outcome, whose, similarity, limit, len(examples)))
    transaction.session.flush()
    new_count = sum(face.outcome is FaceOutcome.ASSIGNED for face in verdicts)
    most = rule.most_faces
    if most is not None and new_count and len(own) + new_count > most:
        raise TooManyFaces(
            f"identity {owner.id} has {len(own)} faces and would have {len(own) + new_count}, and "
            f"{most} are permitted",
            most=most,
        )
    return verdicts


def _not_free(named: NamedFaces, face_id: str, owner: IdentityTable) -> AssignedFace:
    """What becomes of a face that is not nobody's."""
    face = named.rows.get(face_id)
    if face is None:
        return AssignedFace(face_id, FaceOutcome.FACE_NOT_FOUND)
    is_own = named.owner(face) is owner
    outcome = FaceOutcome.ALREADY_ASSIGNED if is_own else FaceOutcome.OF_ANOTHER_PERSON
    return AssignedFace(face_id, outcome, named.record(face))


def _left_alone(named: NamedFaces, face_id: str) -> AssignedFace:
    """What becomes of a face that is not the person's who is to lose it."""
    face = named.rows.get(face_id)
    if face is None:
        return AssignedFace(face_id, FaceOutcome.FACE_NOT_FOUND)
    is_free = named.owner(face).anonymous
    outcome = FaceOutcome.NOT_ASSIGNED if is_free else FaceOutcome.OF_ANOTHER_PERSON
    return AssignedFace(face_id, outcome, named.record(face))


def _give(transaction: Transaction, owner: IdentityTable, faces: Sequence[FaceTable]) -> None:
    """Give faces of anonymous people to a person, who takes in those without a face left."""
    if not faces:
        return
    identities = transaction.identities
    giving = {face.number for face in faces}
    previous = identities.living(sorted({face.identity_number for face in faces}))
    identities.lock([owner, *previous.values()])
    require_not_held(transaction, list(previous.values()))
    held = transaction.faces.numbers_by_owner(list(previous))
    emptied = [row for number, row in previous.items() if giving.issuperset(held[number])]
    staying = {row.number: row for row in previous.values() if row not in emptied}
    some = [face for face in faces if face.identity_number in staying]
    transaction.dismissals.forget_faces([face.number for face in some])
    before = {face.id: staying[face.identity_number] for face in some}
    hand_over(transaction, owner, some)
    for row in staying.values():
        transaction.faces.renew_key(row)
        ids = [face_id for face_id, whose in before.items() if whose is row]
        transaction.note(Action.FACE_MOVED, owner.id, face_ids=ids, **{"from": row.id})
        transaction.note(Action.FACE_MOVED, row.id, face_ids=ids, to=owner.id)
    identities.note_change(owner, *staying.values())
    if emptied:
        absorb(transaction, owner, emptied)


def _release(
    transaction: Transaction, owner: IdentityTable, faces: Sequence[FaceTable]
) -> dict[str, Identity]:
    """Give each face of a person to a new anonymous one; return these by the ids of the faces."""
    if not faces:
        return {}
    ends = [end for end in (owner.expires_at, owner.consent_until) if end is not None]
    new = NewIdentity(anonymous=True, expires_at=min(ends, default=None))
    outcomes = enroll_people(transaction, [NewPerson(new) for _ in faces], by_crop=False)
    identities, repository = transaction.identities, transaction.faces
    transaction.dismissals.forget_faces([face.number for face in faces])
    released = {}
    for face, outcome in zip(faces, outcomes, strict=True):
        require_enrolled(outcome)
        assert outcome.identity_id is not None
        row = identities.get(outcome.identity_id)
        repository.give([face.number], row)
        transaction.note(Action.FACE_MOVED, row.id, face_ids=[face.id], **{"from": owner.id})
        transaction.note(Action.FACE_MOVED, owner.id, face_ids=[face.id], to=row.id)
        released[face.id] = row
    transaction.changes.log("move", [face.number for face in faces])
    records = identities.records(released.values())
    return {face_id: records[row.number] for face_id, row in released.items()}
