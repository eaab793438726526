"""The changes and reads that the audit log has lines of, and the notes that lines are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from app.observe.acting import actor

SERVICE_CHAIN = 0
"""The chain of what belongs to no collection, and of reads; see `chain.py`."""

DONE = "done"


class Action(StrEnum):
    """What was done. Changes first, then reads, then what the log says of itself."""

    COLLECTION_CREATED = "collection.created"
    COLLECTION_CHANGED = "collection.changed"
    COLLECTION_ERASED = "collection.erased"
    IDENTITY_CREATED = "identity.created"
    IDENTITY_CHANGED = "identity.changed"
    IDENTITY_MERGED = "identity.merged"
    IDENTITY_ERASED = "identity.erased"
    HOLD_SET = "hold.set"
    HOLD_LIFTED = "hold.lifted"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    FACE_ADDED = "face.added"
    FACE_MOVED = "face.moved"
    FACE_ERASED = "face.erased"
    UNKNOWN_KEPT = "unknown.kept"
    UNKNOWN_AGAIN = "unknown.again"
    UNKNOWN_COUNTED = "unknown.counted"
    """Seen again soon at the same terminal: a change, but no event."""
    UNKNOWN_NAMED = "unknown.named"
    UNKNOWN_MERGED = "unknown.merged"
    UNKNOWN_SPLIT = "unknown.split"
    UNKNOWN_ERASED = "unknown.erased"
    PERSON_MATCHED = "person.matched"
    QUALITY_REJECTED = "quality.rejected"
    CALIBRATION_REPLACED = "calibration.replaced"
    CALIBRATION_DELETED = "calibration.deleted"
    FINDING_DISMISSED = "finding.dismissed"
    FINDING_RESTORED = "finding.restored"
    ROLLOUT_BEGUN = "rollout.begun"
    ROLLOUT_EMBEDDED = "rollout.embedded"
    ROLLOUT_SWITCHED = "rollout.switched"
    ROLLOUT_ROLLED_BACK = "rollout.rolled_back"
    ROLLOUT_PURGED = "rollout.purged"
    ENCRYPTION_BEGUN = "encryption.begun"
    ENCRYPTION_SEALED = "encryption.sealed"
    ENCRYPTION_COMPLETED = "encryption.completed"
    ENCRYPTION_ROTATED = "encryption.rotated"
    ENCRYPTION_KEYS_DESTROYED = "encryption.keys_destroyed"
    ENCRYPTION_SPACE_RENEWED = "encryption.space_renewed"
    CLOCK_CONFIRMED = "clock.confirmed"
    KEY_ADDED = "key.added"
    KEY_REPLACED = "key.replaced"
    KEY_REVOKED = "key.revoked"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    WEBHOOK_REMOVED = "webhook.removed"
    DELIVERY_STOPPED = "delivery.stopped"

    CROP_READ = "crop.read"
    COLLECTION_EXPORTED = "collection.exported"
    PERSON_EXPORTED = "person.exported"
    IDENTITY_READ = "identity.read"
    IDENTITIES_LISTED = "identities.listed"
    FACES_LISTED = "faces.listed"
    UNKNOWN_READ = "unknown.read"
    UNKNOWNS_LISTED = "unknowns.listed"
    UNKNOWNS_SEARCHED = "unknowns.searched"
    IDENTIFIED = "person.identified"
    VERIFIED = "person.verified"
    GALLERY_EXAMINED = "gallery.examined"

    REQUEST_REFUSED = "request.refused"
    AUDIT_READ = "audit.read"
    AUDIT_PRUNED = "audit.pruned"
    AUDIT_LOST = "audit.lost"
    AUDIT_SIGNED = "audit.signed"


@dataclass(frozen=True, slots=True)
class Note:
    """A change or a read, by ids: no names, images, embeddings or keys.

    `chain` is the number of the collection whose chain it belongs to. The actor and the moment are
    those at which it is noted.
    """

    action: Action
    chain: int = SERVICE_CHAIN
    collection: str | None = None
    identity_id: str | None = None
    receipt_id: str | None = None
    outcome: str = DONE
    details: Mapping[str, object] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    principal: str = field(default_factory=lambda: actor().principal)
    request_id: str | None = field(default_factory=lambda: actor().request_id)
    address: str | None = field(default_factory=lambda: actor().address)
