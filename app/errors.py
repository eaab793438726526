"""Everything that can go wrong on purpose, as one tree.

VultusError
├── InputError
│   ├── InvalidRequest              a field is missing, malformed or out of bounds
│   │   └── SeveralCollections      the archive holds several, and one is needed
│   ├── UnsupportedMediaType        the body is neither JSON nor a multipart form
│   │   └── UnsupportedContentEncoding  the body is compressed in a way that is not supported
│   ├── RequestTooLarge             the whole body is over its limit
│   ├── HeadersTooLarge             the request line or the headers are over their limit
│   ├── MalformedRequest            the request violates the rules of HTTP
│   ├── ImageTooLarge               the image is over the limit of bytes or pixels
│   ├── ImageUnreadable             no decoder can read the image
│   │   ├── ImageInText             the image is base64 text, or a data URL
│   │   └── DecodingTooSlow         decoding the image takes more time than it may
│   ├── NoUsableImage               every image was rejected; see Reason
│   ├── IdentityWithoutFace         the person has no enrolled face to compare with
│   ├── ConsentRequired             the collection enrolls nobody without a consent
│   ├── RetentionTooLong            the collection keeps nobody for so long
│   ├── ThresholdRequired           the embedder has no measured default threshold
│   ├── CalibrationImpossible       there are too few people to measure
│   ├── WebhookTargetRefused        a webhook may not send to this address
│   ├── LivenessOff                 no network scores liveness here
│   ├── LivenessNotMeasurable       there are too few captures to fit a threshold
│   └── ArchiveUnusable             an archive cannot be read or written
│       ├── NotAnArchive            the file is no archive of a gallery
│       ├── ArchiveDamaged          the archive is not as it was written
│       ├── ArchiveTooNew           a later version of Vultus wrote the archive
│       ├── ArchivedCalibrationUnusable   a calibration in it is of other weights, or not plausible
│       ├── ArchiveSealed           the archive is sealed, and no key or passphrase given opens it
│       └── NotExportable           a row of the gallery is damaged
├── RequestTimeout                  the request arrives too slowly, or not as a whole
├── AccessDenied                    the API key is missing or wrong
│   ├── KeyExpired                  the API key has expired
│   ├── KeyRevoked                  the API key is revoked
│   └── SignatureRefused            a signature is incomplete, wrong or of another time
├── Forbidden
│   ├── RightMissing                the API key lacks the right that the request needs
│   ├── CollectionNotGranted        the API key may act in some collections only
│   └── CollectionUndecided         the API key does not say which of its collections is meant
├── HostUnknown                    no key is demanded, and the Host is not one of the service
├── CrossSite                      no key is demanded, and a page of another site asks
├── NotFound
│   ├── CollectionNotFound          no collection has this name
│   │   └── CollectionNotInArchive  the archive holds no collection of this name
│   ├── IdentityNotFound            no person has this id in the collection
│   ├── ConsentNotFound             no consent of the person has this id
│   ├── FaceNotFound                no face has this id in the collection
│   ├── UnknownGroupNotFound        the group was named, merged, dismissed, or has expired
│   ├── UnknownFaceNotFound         no face of the group has this id
│   ├── HoldNotFound                the person has no legal hold
│   ├── KeyNotFound                 no API key has this id
│   ├── WebhookNotFound             no webhook has this id
│   ├── EventNotKept                the event is not among those that can be delivered again
│   └── CropNotKept                 no crop of the face is kept
│       └── UnknownCropNotKept      no crop of the unknown face is kept
├── Conflict
│   ├── CollectionExists            a collection has this name already
│   ├── ExternalIdTaken             another person has this external_id
│   ├── WrongPerson                 the guards refuse every image that could be enrolled
│   ├── RevisionConflict            a person was changed after the caller read them
│   ├── CountChanged                a filter finds another number of people than was confirmed
│   ├── PersonHeld                  a legal hold keeps a person, or people, from being erased
│   ├── TooManyFaces                a person would have more faces than the request permits
│   ├── WithdrawalErases            the consent is the last one, and the person goes with it
│   ├── RolloutImpossible           a collection cannot go over to another embedder yet
│   ├── IdempotencyKeyReused        the key was sent before, with another request
│   ├── KeyInactive                 the API key is revoked, has expired or is replaced
│   ├── TooManyWebhooks             there are as many webhooks as there may be
│   ├── KeySecretSealed             the secret of a pair does not open with the service's keys
│   ├── WebhookSecretSealed         the secret of a webhook does not open with the service's keys
│   ├── EmbeddingUnreadable         the encrypted embedding of a face does not open
│   ├── CropUnreadable              the crop does not open with the key of this service
│   └── EmbedderMismatch            the collection belongs to another network
│       ├── ForeignEmbedding        the embedding sent is of another network
│       ├── OtherEmbedderMissing    the collection has one embedder, or the other does not run here
│       └── ArchiveOfOtherEmbedder  the archive and the collection are of different networks
├── TooManyRequests
│   ├── RateLimited                 the caller sends more requests a second than allowed
│   ├── TooManyAtOnce               too many requests of the caller are being answered
│   └── TooManySearches             one person was found too often in an hour, or nobody
├── Unavailable
│   ├── Overloaded                  the queue is full, or too many bytes are being worked on
│   ├── Busy                        a long job runs, and one of its kind at a time
│   ├── Stopping                    the process is ending
│   ├── DatabaseUnavailable         the database does not answer
│   │   ├── ChangeUnconfirmed       the database may have made the change, or not
│   │   ├── DatabaseLocked          another change holds the lock for too long
│   │   ├── DatabaseDamaged         a page of the database cannot be read
│   │   ├── DatabaseMissing         the file of the database was removed or replaced
│   │   ├── DatabaseReadOnly        the database accepts no changes
│   │   └── DiskFull                the disk has no room for a change
│   ├── CollectionSealed            the collection is encrypted, and this process has no key for it
│   ├── IndexUnavailable            Milvus holds the index and does not answer
│   │   └── IndexUnsupported        Milvus has a version that is not supported
│   ├── RevisionNotReached          this process does not have the requested revision yet
│   ├── NotReady                    the networks have not made an embedding yet
│   └── DeadlineExceeded            the time that the caller gave is over
├── FetchFailed                     the file of a published network cannot be fetched
│   ├── NotInCatalogue              no network of that name is published
│   ├── LicenseNotAccepted          the licence forbids commercial use, or may, and is not accepted
│   ├── DigestUnknown               no source states the SHA-256 of the file
│   ├── FileNotAsPinned             the file has another size or SHA-256, or is damaged
│   └── SourceUnavailable           the server, mirror or folder does not give the file
├── OtherServiceFailed              people cannot be imported from another service
│   ├── OtherServiceUnavailable     the other service does not answer
│   └── OtherServiceRefused         the other service refuses the key, or is not what it should be
└── StartupError                    the process cannot start as configured
    ├── SettingUnusable             a setting cannot be followed
    ├── NetworkNotMade              a network that Vultus no longer ships was not added
    ├── NetworkNotAdded             a network in a file of the user's own was not added
    ├── PackagesMissing             packages of an extra are not installed
    ├── NetworkNotFetched           the file of a published network was not fetched
    ├── MasterKeyMissing            the database is encrypted, and no master key is set
    ├── MasterKeyUnknown            the database is encrypted by another master key
    ├── DatabaseLost                there are no tables, but traces of those that were
    ├── SchemaOutdated              the database is at an earlier migration
    └── EmbedderChanged             a collection with faces belongs to a network that does not run

An error is a noun; its text is a fact. Attributes hold what a remedy names. The remedy depends on
the reader: `app/api/remedies.py` words it for a client of the API, `app/cli/remedies.py` for a
terminal. A new error is a class here and a line in each of these tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from errno import EDQUOT, EFBIG, ENOSPC


class Reason(StrEnum):
    """Why an image was rejected; stable codes."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    SMALL_FACE = "small_face"
    LOW_SHARPNESS = "low_sharpness"
    LOW_BRIGHTNESS = "low_brightness"
    HIGH_BRIGHTNESS = "high_brightness"
    LOW_CONTRAST = "low_contrast"
    EXTREME_POSE = "extreme_pose"
    UNCLEAR_DIRECTION = "unclear_direction"
    CROPPED_FACE = "cropped_face"
    OCCLUDED_FACE = "occluded_face"
    LOW_DETECTION_SCORE = "low_detection_score"
    UNRELIABLE_FACE = "unreliable_face"
    LOW_MATCH_CONFIDENCE = "low_match_confidence"
    BELONGS_TO_ANOTHER_IDENTITY = "belongs_to_another_identity"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"


class VultusError(Exception):
    """Base of all. `code` is stable and part of the API; the text is for people."""

    code: str = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InputError(VultusError):
    code = "invalid_request"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A fault of a request: its place (`field`, dotted) and a text."""

    field: str
    message: str


class InvalidRequest(InputError):
    code = "invalid_request"

    def __init__(self, message: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SeveralCollections(InvalidRequest):
    """An archive of several is to be imported into one."""


class UnsupportedMediaType(InputError):
    code = "unsupported_media_type"


class UnsupportedContentEncoding(UnsupportedMediaType):
    code = "unsupported_content_encoding"


class RequestTooLarge(InputError):
    """`setting`: that of the limit, by its name in the environment; None for a fixed limit."""

    code = "request_too_large"

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class HeadersTooLarge(InputError):
    code = "headers_too_large"


class MalformedRequest(InputError):
    code = "malformed_request"


class ImageTooLarge(InputError):
    """`setting`: that of the limit, by its name in the environment."""

    code = Reason.IMAGE_TOO_LARGE

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


class ImageUnreadable(InputError):
    code = Reason.IMAGE_UNREADABLE


class ImageInText(ImageUnreadable):
    pass


class DecodingTooSlow(ImageUnreadable):
    pass


@dataclass(frozen=True, slots=True)
class Resemblance:
    """The people that a refused face was compared with, and their cosine similarities.

    For `belongs_to_another_identity`: who it looks like, at or above the threshold. For
    `low_match_confidence`: who it should look like, and does not; the ids are None when that is
    only the other photos of the same request. `similarity` is None where it is withheld.
    """

    identity_id: str | None
    name: str | None
    external_id: str | None
    similarity: float | None
    threshold: float


@dataclass(frozen=True, slots=True)
class RejectedImage:
    """An image that was not enrolled: its place in the request, why, and the faces seen in it.

    In a batch, it may be an embedding: `image_index` is None then, and `embedding_index` its place.
    """

    image_index: int | None
    reasons: tuple[Reason, ...]
    detail: str
    faces: tuple[tuple[tuple[float, float, float, float], float], ...] = field(default=())
    """(box as x1, y1, x2, y2; detection score) of each face, largest first."""
    resemblance: Resemblance | None = None
    """The person of the verdict, when a guard refused the image."""
    embedding_index: int | None = None
    error: ImageTooLarge | ImageUnreadable | None = None
    """The cause, when the image could not be decoded."""


class NoUsableImage(InputError):
    """None of the images can be used; `code` is the reason that all of them share, if they do."""

    code = "no_usable_image"

    def __init__(self, message: str, rejected: Sequence[RejectedImage]) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)
        reasons = {reason for image in rejected for reason in image.reasons}
        self.code = reasons.pop() if len(reasons) == 1 else NoUsableImage.code


class IdentityWithoutFace(InputError):
    code = "identity_without_face"

    def __init__(self, message: str, *, collection: str, identity_id: str) -> None:
        super().__init__(message)
        self.collection = collection
        self.identity_id = identity_id


class ConsentRequired(InputError):
    code = "consent_required"


class RetentionTooLong(InputError):
    code = "retention_too_long"


class ThresholdRequired(InputError):
    """`settings`: those that would give a default, by their names in the environment."""

    code = "threshold_required"

    def __init__(self, message: str, *, settings: Sequence[str]) -> None:
        super().__init__(message)
        self.settings = " and ".join(settings)


class CalibrationImpossible(InputError):
    code = "calibration_impossible"


class WebhookTargetRefused(InputError):
    code = "webhook_target_refused"


class LivenessOff(InputError):
    code = "liveness_off"


class LivenessNotMeasurable(InputError):
    code = "liveness_not_measurable"


class ArchiveUnusable(InputError):
    code = "archive_unusable"


class NotAnArchive(ArchiveUnusable):
    pass


class ArchiveDamaged(ArchiveUnusable):
    pass


class ArchiveTooNew(ArchiveUnusable):
    pass


class ArchivedCalibrationUnusable(ArchiveUnusable):
    pass


class ArchiveSealed(ArchiveUnusable):
    pass


class NotExportable(ArchiveUnusable):
    pass


class RequestTimeout(VultusError):
    code = "request_timeout"


class AccessDenied(VultusError):
    """`key`: the id of the key that was sent, or `missing`, or `unknown`."""

    code = "unauthorized"

    def __init__(self, message: str, *, key: str = "unknown") -> None:
        super().__init__(message)
        self.key = key


class HostUnknown(VultusError):
    code = "host_unknown"


class CrossSite(VultusError):
    code = "cross_site"


class KeyExpired(AccessDenied):
    code = "key_expired"


class KeyRevoked(AccessDenied):
    code = "key_revoked"


class SignatureRefused(AccessDenied):
    """Of requests that are signed by a pair; see `app/compat/rekognition`."""

    code = "signature_refused"


class Forbidden(VultusError):
    code = "forbidden"


class RightMissing(Forbidden):
    """`right`: the one that the request needs."""

    code = "missing_right"

    def __init__(self, message: str, *, right: str) -> None:
        super().__init__(message)
        self.right = right


class CollectionNotGranted(Forbidden):
    code = "collection_not_granted"


class CollectionUndecided(Forbidden):
    code = "collection_undecided"


class NotFound(VultusError):
    """`collection`: where it was looked for."""

    code = "not_found"

    def __init__(self, message: str, *, collection: str) -> None:
        super().__init__(message)
        self.collection = collection


class CollectionNotFound(NotFound):
    code = "collection_not_found"


class CollectionNotInArchive(CollectionNotFound):
    pass


class IdentityNotFound(NotFound):
    code = "identity_not_found"


class ConsentNotFound(NotFound):
    code = "consent_not_found"

    def __init__(self, message: str, *, collection: str, identity_id: str) -> None:
        super().__init__(message, collection=collection)
        self.identity_id = identity_id


class FaceNotFound(NotFound):
    code = "face_not_found"


class UnknownGroupNotFound(NotFound):
    code = "unknown_group_not_found"


class UnknownFaceNotFound(NotFound):
    code = "unknown_face_not_found"

    def __init__(self, message: str, *, collection: str, group_id: str) -> None:
        super().__init__(message, collection=collection)
        self.group_id = group_id


class HoldNotFound(NotFound):
    code = "hold_not_found"


class KeyNotFound(NotFound):
    code = "key_not_found"

    def __init__(self, message: str) -> None:
        super().__init__(message, collection="")


class WebhookNotFound(NotFound):
    code = "webhook_not_found"

    def __init__(self, message: str) -> None:
        super().__init__(message, collection="")


class EventNotKept(NotFound):
    code = "event_not_kept"

    def __init__(self, message: str) -> None:
        super().__init__(message, collection="")


class CropNotKept(NotFound):
    code = "crop_not_kept"


class UnknownCropNotKept(CropNotKept):
    pass


class Conflict(VultusError):
    code = "conflict"


class CollectionExists(Conflict):
    code = "collection_exists"


class ExternalIdTaken(Conflict):
    code = "external_id_taken"


class WrongPerson(Conflict):
    """No image was enrolled, and a guard refused at least one that could have been.

    `code` is the reason that all of them share, if they do.
    """

    code = "wrong_person"

    def __init__(self, message: str, rejected: Sequence[RejectedImage]) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)
        reasons = {reason for image in rejected for reason in image.reasons}
        self.code = reasons.pop() if len(reasons) == 1 else WrongPerson.code


class RevisionConflict(Conflict):
    """`revision` is that of the change, by which `identity_id` was changed; None where the
    collection as a whole is meant."""

    code = "revision_conflict"

    def __init__(self, message: str, *, revision: int, identity_id: str | None = None) -> None:
        super().__init__(message)
        self.revision = revision
        self.identity_id = identity_id


class CountChanged(Conflict):
    """`count` is how many people there are now."""

    code = "count_changed"

    def __init__(self, message: str, *, count: int) -> None:
        super().__init__(message)
        self.count = count


class PersonHeld(Conflict):
    """`identity_ids`: some of those who are held, at most 20; `count`: how many there are."""

    code = "held"

    def __init__(
        self, message: str, *, collection: str, identity_ids: Sequence[str], count: int
    ) -> None:
        super().__init__(message)
        self.collection = collection
        self.identity_ids = tuple(identity_ids)
        self.count = count


class RolloutObstacle(StrEnum):
    """Why a collection does not go over to another embedder, or back."""

    ONE_EMBEDDER = "one_embedder"
    SAME_EMBEDDER = "same_embedder"
    OTHER_ROLLOUT = "other_rollout"
    PURGED = "purged"
    SWITCHED = "switched"
    NOT_SWITCHED = "not_switched"
    SWITCHED_MEANWHILE = "switched_meanwhile"
    LACKING_SERVING = "lacking_serving"
    LACKING_SECOND = "lacking_second"
    FIXED_SIMILARITY = "fixed_similarity"
    FIXED_FOR_PEOPLE = "fixed_for_people"
    NOT_MEASURED = "not_measured"


class TooManyFaces(Conflict):
    code = "too_many_faces"

    def __init__(self, message: str, *, most: int) -> None:
        super().__init__(message)
        self.most = most


class WithdrawalErases(Conflict):
    code = "withdrawal_erases"


class RolloutImpossible(Conflict):
    """`embedder`: the one that has to be made ready. `can_be_forced`: the obstacles are advice."""

    code = "rollout_impossible"

    def __init__(
        self,
        message: str,
        *obstacles: RolloutObstacle,
        embedder: str = "",
        can_be_forced: bool = False,
    ) -> None:
        super().__init__(message)
        self.obstacles = obstacles
        self.embedder = embedder
        self.can_be_forced = can_be_forced


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"


class KeyInactive(Conflict):
    code = "key_inactive"


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"


class KeySecretSealed(Conflict):
    code = "key_secret_sealed"


class WebhookSecretSealed(Conflict):
    code = "webhook_secret_sealed"


class EmbeddingUnreadable(Conflict):
    code = "embedding_unreadable"

    def __init__(self, message: str, *, face_id: str) -> None:
        super().__init__(message)
        self.face_id = face_id


class CropUnreadable(Conflict):
    code = "crop_unreadable"


class EmbedderMismatch(Conflict):
    """`embedder`: the name of the collection's network."""

    code = "embedder_mismatch"

    def __init__(self, message: str, *, embedder: str) -> None:
        super().__init__(message)
        self.embedder = embedder


class ForeignEmbedding(EmbedderMismatch):
    pass


class OtherEmbedderMissing(EmbedderMismatch):
    pass


class ArchiveOfOtherEmbedder(EmbedderMismatch):
    pass


class TooManyRequests(VultusError):
    """The caller may try again in `retry_after_s`; `setting` as of RequestTooLarge."""

    code = "too_many_requests"

    def __init__(
        self, message: str, *, retry_after_s: float = 1.0, setting: str | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.setting = setting


class RateLimited(TooManyRequests):
    code = "rate_limited"


class TooManyAtOnce(TooManyRequests):
    code = "too_many_at_once"


class TooManySearches(TooManyRequests):
    code = "too_many_searches"


class Unavailable(VultusError):
    """A temporary error; the caller may try again in `retry_after_s`."""

    code = "unavailable"
    retry_after_s: float = 1.0


class Overloaded(Unavailable):
    """`setting` as of RequestTooLarge."""

    code = "overloaded"

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class Busy(Unavailable):
    """A long job (`job` is its name) runs, and only one of its kind does at a time."""

    code = "busy"
    retry_after_s = 5.0

    def __init__(self, job: str) -> None:
        super().__init__(
            f"a job of this kind ({job}) is running, and only one runs at once; nothing was changed"
        )
        self.job = job


class Stopping(Unavailable):
    """The process is ending."""

    code = "stopping"

    def __init__(self) -> None:
        super().__init__("the service is stopping")


class DatabaseUnavailable(Unavailable):
    """No answer, or one of the more exact reasons below."""

    code = "database_unavailable"


class ChangeUnconfirmed(DatabaseUnavailable):
    pass


class DatabaseLocked(DatabaseUnavailable):
    """Another process, or another request, holds the lock for longer than a caller waits."""

    code = "database_locked"

    def __init__(self) -> None:
        super().__init__(
            "the database is locked by another change, for longer than this request may wait; "
            "nothing was changed"
        )


class DatabaseDamaged(DatabaseUnavailable):
    code = "database_damaged"
    retry_after_s = 60.0

    def __init__(self) -> None:
        super().__init__(
            "the database is damaged; what needs the damaged pages is not answered, and nothing "
            "is changed any more"
        )


class DatabaseMissing(DatabaseUnavailable):
    """The file was removed, moved or replaced while the service runs."""

    code = "database_missing"
    retry_after_s = 60.0

    def __init__(self) -> None:
        super().__init__(
            "the database file was removed or replaced while the service runs; nothing is "
            "changed any more"
        )


class DatabaseReadOnly(DatabaseUnavailable):
    code = "database_read_only"
    retry_after_s = 60.0


DISK_FULL_ERRNOS = frozenset({ENOSPC, EDQUOT, EFBIG})
"""No space, a quota that is used up, a file at the largest size that the process may write."""


class DiskFull(DatabaseUnavailable):
    code = "disk_full"
    retry_after_s = 60.0

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}; nothing was changed (searches go on, and people can still be deleted)"
        )


class CollectionSealed(Unavailable):
    code = "collection_sealed"


class IndexUnavailable(Unavailable):
    code = "index_unavailable"


class IndexUnsupported(IndexUnavailable):
    code = "index_unsupported"


class RevisionNotReached(Unavailable):
    code = "revision_not_reached"


class NotReady(Unavailable):
    code = "not_ready"


class DeadlineExceeded(Unavailable):
    code = "deadline_exceeded"


class FetchFailed(VultusError):
    code = "fetch_failed"


class NotInCatalogue(FetchFailed):
    code = "not_in_catalogue"


class LicenseNotAccepted(FetchFailed):
    """`name`: that of the network."""

    code = "license_not_accepted"

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class DigestUnknown(FetchFailed):
    """`name`: that of the network."""

    code = "digest_unknown"

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class FileNotAsPinned(FetchFailed):
    code = "file_not_as_pinned"


class SourceUnavailable(FetchFailed):
    code = "source_unavailable"


class OtherServiceFailed(VultusError):
    code = "other_service_failed"


class OtherServiceUnavailable(OtherServiceFailed):
    code = "other_service_unavailable"


class OtherServiceRefused(OtherServiceFailed):
    code = "other_service_refused"


class StartupError(VultusError):
    code = "startup_failed"


class SettingUnusable(StartupError):
    """`setting`: its name in the environment."""

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


class NetworkNotMade(StartupError):
    """The network `name` no longer ships; `digest` is the SHA-256 of its file."""

    def __init__(self, message: str, *, name: str, digest: str) -> None:
        super().__init__(message)
        self.name = name
        self.digest = digest


class NetworkNotAdded(StartupError):
    """The network `name` is a file of the user's own, which is not registered."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class PackagesMissing(StartupError):
    """`extra`: the optional part of the installation that brings them along."""

    def __init__(self, message: str, *, extra: str) -> None:
        super().__init__(message)
        self.extra = extra


class NetworkNotFetched(StartupError):
    """`name`: that of the network; `needs_acceptance`: its licence has to be accepted."""

    def __init__(self, message: str, *, name: str, needs_acceptance: bool) -> None:
        super().__init__(message)
        self.name = name
        self.needs_acceptance = needs_acceptance


class MasterKeyMissing(StartupError):
    pass


class MasterKeyUnknown(StartupError):
    """`master_ids`: of the master keys that the database needs, and that are not given."""

    def __init__(self, message: str, *, master_ids: Sequence[str]) -> None:
        super().__init__(message)
        self.master_ids = tuple(master_ids)


class DatabaseLost(StartupError):
    """There are no tables, but `traces` of those that were."""

    def __init__(self, where: str, traces: Sequence[str]) -> None:
        shown = ", ".join(traces[:3]) + (", ..." if len(traces) > 3 else "")
        super().__init__(
            f"the database {where} is missing or empty, but there was a gallery: {shown}"
        )
        self.where = where
        self.traces = tuple(traces)


class SchemaOutdated(StartupError):
    pass


class EmbedderChanged(StartupError):
    """`embedder`: the name of the collection's network."""

    def __init__(self, message: str, *, embedder: str) -> None:
        super().__init__(message)
        self.embedder = embedder
