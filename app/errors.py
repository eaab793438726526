"""Everything that can go wrong on purpose, as one tree.

VultusError
├── InputError                      what the caller sent cannot be used
│   ├── InvalidRequest              a field is missing, malformed or out of bounds
│   ├── UnsupportedMediaType        the body is neither JSON nor a multipart form
│   ├── RequestTooLarge             the whole body is over its cap
│   ├── ImageTooLarge               over the byte or pixel cap
│   ├── ImageUnreadable             no decoder makes a picture of it
│   ├── NoUsableImage               every image was rejected; see Reason
│   ├── IdentityWithoutFace         the person has no enrolled face to compare with
│   ├── ThresholdRequired           nobody measured a default for this embedder
│   ├── CalibrationImpossible       there are too few people to measure
│   └── ArchiveUnusable             a gallery's archive is damaged, or of another kind
├── AccessDenied                    the API key is missing or wrong
├── NotFound
│   ├── CollectionNotFound
│   ├── IdentityNotFound
│   ├── FaceNotFound
│   ├── UnknownGroupNotFound        it was named, merged, dismissed or kept for long enough
│   └── UnknownFaceNotFound
├── Conflict
│   ├── CollectionExists
│   ├── ExternalIdTaken
│   ├── WrongPerson                 the guards refuse every image that could be enrolled
│   ├── RolloutImpossible           a collection cannot go over to another embedder yet
│   ├── IdempotencyKeyReused        the key was sent before, with another request
│   └── EmbedderMismatch            the collection belongs to another network
├── TooManyRequests
│   ├── RateLimited                 more a second than one caller may send
│   └── TooManyAtOnce               so many requests of the caller are being answered
├── Unavailable
│   ├── Overloaded                  the queue is full, or too many bytes are being worked on
│   ├── DatabaseUnavailable         it does not answer, or is locked for too long
│   ├── IndexUnavailable            the index lies elsewhere and does not answer
│   ├── RevisionNotReached          what the caller has seen is not here yet
│   ├── NotReady                    no real embedding was made yet
│   └── DeadlineExceeded            the time that the caller gave is over
└── StartupError                    the process cannot start as configured

An error is a noun; its text says the fact and the remedy. Nothing here knows HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


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
    CROPPED_FACE = "cropped_face"
    LOW_DETECTION_SCORE = "low_detection_score"
    LOW_MATCH_CONFIDENCE = "low_match_confidence"
    BELONGS_TO_ANOTHER_IDENTITY = "belongs_to_another_identity"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"


class VultusError(Exception):
    """Base of all. `code` is stable and part of the API; the text is for people."""

    code: str = "internal_error"


class InputError(VultusError):
    code = "invalid_request"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Where in the request (`field`, dotted) and what is wrong with it."""

    field: str
    message: str


class InvalidRequest(InputError):
    code = "invalid_request"

    def __init__(self, message: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class UnsupportedMediaType(InputError):
    code = "unsupported_media_type"


class RequestTooLarge(InputError):
    code = "request_too_large"


class ImageTooLarge(InputError):
    code = Reason.IMAGE_TOO_LARGE


class ImageUnreadable(InputError):
    code = Reason.IMAGE_UNREADABLE


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Whom a refused face was compared with, and how alike they are, as cosine similarity.

    For `belongs_to_another_identity`: who it looks like, at or above the threshold. For
    `low_match_confidence`: who it should look like, and does not; the ids are None when that is
    only the other photos of the same request.
    """

    identity_id: str | None
    name: str | None
    external_id: str | None
    similarity: float
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
    """When a guard refused it."""
    embedding_index: int | None = None


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


class ThresholdRequired(InputError):
    code = "threshold_required"


class CalibrationImpossible(InputError):
    code = "calibration_impossible"


class ArchiveUnusable(InputError):
    code = "archive_unusable"


class AccessDenied(VultusError):
    code = "unauthorized"


class NotFound(VultusError):
    code = "not_found"


class CollectionNotFound(NotFound):
    code = "collection_not_found"


class IdentityNotFound(NotFound):
    code = "identity_not_found"


class FaceNotFound(NotFound):
    code = "face_not_found"


class UnknownGroupNotFound(NotFound):
    code = "unknown_group_not_found"


class UnknownFaceNotFound(NotFound):
    code = "unknown_face_not_found"


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


class RolloutImpossible(Conflict):
    code = "rollout_impossible"


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"


class EmbedderMismatch(Conflict):
    code = "embedder_mismatch"


class TooManyRequests(VultusError):
    """Of one caller, who may try again in `retry_after_s`."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(TooManyRequests):
    code = "rate_limited"


class TooManyAtOnce(TooManyRequests):
    code = "too_many_at_once"


class Unavailable(VultusError):
    code = "unavailable"


class Overloaded(Unavailable):
    code = "overloaded"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"


class IndexUnavailable(Unavailable):
    code = "index_unavailable"


class RevisionNotReached(Unavailable):
    code = "revision_not_reached"


class NotReady(Unavailable):
    code = "not_ready"


class DeadlineExceeded(Unavailable):
    code = "deadline_exceeded"


class StartupError(VultusError):
    code = "startup_failed"
