"""Remedies for clients of the API."""

from typing import Final

from app import errors
from app.errors import Reason, RejectedImage
from app.remedies import NEVER, REASONS_THAT_SAY_ENOUGH, Remedies, or_raise_the_limit


def _unlike(image: RejectedImage) -> str:
    """Send another photo of the person, or force=true when it is them."""
    if image.resemblance is not None and image.resemblance.identity_id is None:
        return "send photos of one person, or force=true when they are"
    return "send another photo, or force=true when it is them"


_OPERATOR = "who runs the service has to "


_OR_RAISE = f"; or {_OPERATOR}raise"


HTTP: Final = Remedies(
    {
        errors.VultusError: None,
        errors.InputError: None,
        errors.InvalidRequest: None,  # names the field and what is expected
        errors.UnsupportedMediaType: None,  # names the types that are read
        errors.UnsupportedContentEncoding: None,  # names the encodings that are read
        errors.RequestTooLarge: or_raise_the_limit("send less at once", _OR_RAISE),
        errors.HeadersTooLarge: "send fewer and shorter headers, and large options in a body",
        errors.MalformedRequest: None,  # says what cannot be read
        errors.RequestTimeout: "send it again without pauses; or "
        + _OPERATOR
        + "raise VULTUS_LIMITS__PATIENCE_S",
        errors.ImageTooLarge: "send a smaller copy; or " + _OPERATOR + "raise {setting}",
        errors.ImageUnreadable: None,  # says what to send in its place
        errors.ImageInText: "send its bytes, or base64 in a field of JSON",
        errors.DecodingTooSlow: "save the photo as JPEG",
        errors.NoUsableImage: "see rejected",
        errors.IdentityWithoutFace: "add one with "
        "POST /v1/collections/{collection}/identities/{identity_id}/faces",
        errors.ConsentRequired: 'send `consent`, as {{"purpose": "access to the building"}}; or, '
        "of a person who is enrolled, record it first with POST .../identities/ID/consents",
        errors.RetentionTooLong: "send an earlier expires_at; a new person without one gets the "
        "latest that is possible",
        errors.ThresholdRequired: "send a threshold, or measure the error rates on the people of a "
        "collection with POST /v1/collections/COLLECTION/calibration; who runs the service may "
        "also set {settings}",
        errors.CalibrationImpossible: None,  # says how many people it takes
        errors.WebhookTargetRefused: "send another url; or who runs the service has to permit it "
        "by VULTUS_WEBHOOKS__HOSTS, VULTUS_WEBHOOKS__NETWORKS or VULTUS_WEBHOOKS__HTTP",
        errors.LivenessOff: "leave liveness out; or "
        + _OPERATOR
        + "fetch a network and name it with "
        "VULTUS_LIVENESS__NAME",
        errors.LivenessNotMeasurable: NEVER,  # only the command line fits a threshold
        errors.ArchiveUnusable: NEVER,  # only the command line reads and writes archives
        errors.SeveralCollections: NEVER,
        errors.CollectionNotInArchive: NEVER,
        errors.ArchiveOfOtherEmbedder: NEVER,
        errors.AccessDenied: "send a valid key in the x-api-key header",
        errors.HostUnknown: "use localhost or an IP address; or who runs the service has to name "
        "the host in VULTUS_HOSTS, or to demand keys with VULTUS_API_KEYS",
        errors.CrossSite: "send it from a program, or from a page of the service itself; or who "
        "runs the service has to name the page's origin in VULTUS_CORS_ORIGINS",
        errors.KeyExpired: "ask who runs the service for another",
        errors.KeyRevoked: "ask who runs the service for another",
        errors.SignatureRefused: NEVER,  # the API knows no signatures
        errors.Forbidden: None,
        errors.RightMissing: "send a key that has it; GET /v1/me lists the rights of a key",
        errors.CollectionNotGranted: "send a key that may; GET /v1/me lists the collections of a "
        "key",
        errors.CollectionUndecided: "send a key that is limited to the collection that is meant; "
        "who runs the service makes one with POST /v1/keys",
        errors.NotFound: None,
        errors.KeyNotFound: "list them with GET /v1/keys",
        errors.WebhookNotFound: "list them with GET /v1/webhooks",
        errors.EventNotKept: "list them with GET /v1/webhooks/WEBHOOK/dead_letters",
        errors.CollectionNotFound: "create it with POST /v1/collections",
        errors.IdentityNotFound: "list them with GET /v1/collections/{collection}/identities",
        errors.ConsentNotFound: "list them with "
        "GET /v1/collections/{collection}/identities/{identity_id}/consents",
        errors.FaceNotFound: "list those of a person with "
        "GET /v1/collections/{collection}/identities/ID/faces",
        errors.UnknownGroupNotFound: "list them with GET /v1/collections/{collection}/unknowns",
        errors.UnknownFaceNotFound: "list them with "
        "GET /v1/collections/{collection}/unknowns/{group_id}",
        errors.HoldNotFound: "list them with GET /v1/collections/{collection}/identities?held=true",
        errors.CropNotKept: _OPERATOR + "set VULTUS_CROPS_KEY, and the collection the option "
        "crops.keep; then delete the face and enroll its photo again",
        errors.UnknownCropNotKept: "find the photo by the face's image_sha256; of faces that are "
        "seen from now on, crops are kept where VULTUS_CROPS_KEY and the option unknowns.crops "
        "of the collection are set",
        errors.Conflict: None,
        errors.CollectionExists: "choose another name",
        errors.ExternalIdTaken: "choose another, or add faces to the identity that has it",
        errors.WrongPerson: "see rejected for whom; send force=true to enroll them anyway",
        errors.RevisionConflict: "read these people again, and decide again",
        errors.CountChanged: "look at them again, and send confirm_count={count} if these are "
        "meant",
        errors.PersonHeld: "lift the hold, with the right admin, by DELETE "
        "/v1/collections/{collection}/identities/{{identity_id}}/hold; GET "
        "/v1/collections/{collection}/identities?held=true lists who is held",
        errors.TooManyFaces: "assign fewer, or release others of the person first",
        errors.WithdrawalErases: "send confirm_erasure=true if this is meant; or record another "
        "consent first",
        errors.RolloutImpossible: NEVER,  # only the command line carries a collection over
        errors.IdempotencyKeyReused: "send a key of its own with each request, and the same one "
        "only to repeat it",
        errors.KeyInactive: "create another with POST /v1/keys",
        errors.TooManyWebhooks: "delete one with DELETE /v1/webhooks/WEBHOOK",
        errors.KeySecretSealed: "give its holder another with POST /v1/keys/KEY:rotate",
        errors.WebhookSecretSealed: "give it another with POST /v1/webhooks/WEBHOOK:rotate",
        errors.EmbeddingUnreadable: "delete face {face_id}, and enroll a photo of it again; or "
        + _OPERATOR
        + "restore its row from a backup",
        errors.CropUnreadable: _OPERATOR
        + "start it with the VULTUS_CROPS_KEY by which the crop was "
        "encrypted; or, in an encrypted gallery, to look for rows that were altered",
        errors.EmbedderMismatch: "who runs the service has to start it with "
        "VULTUS_EMBEDDER={embedder} and its weights; or delete the collection and enroll again",
        errors.ForeignEmbedding: "send a photo; or who runs the service has to start it with "
        "VULTUS_EMBEDDER={embedder}",
        errors.OtherEmbedderMissing: "who runs the service has to name it with "
        "VULTUS_NEXT__EMBEDDER and VULTUS_NEXT__WEIGHTS_PATH",
        errors.TooManyRequests: None,
        errors.RateLimited: or_raise_the_limit("wait until then", _OR_RAISE),
        errors.TooManySearches: or_raise_the_limit(
            "wait until then, identify photos, or send a key with the right templates", _OR_RAISE
        ),
        errors.TooManyAtOnce: or_raise_the_limit("wait for one of them", _OR_RAISE),
        errors.Unavailable: "try again in a moment",
        errors.Overloaded: or_raise_the_limit("try again in a second", _OR_RAISE),
        errors.DatabaseUnavailable: "try again in a moment",
        errors.Busy: "try again when it has ended",
        errors.Stopping: "try again in a few seconds, when it has started again",
        errors.DatabaseLocked: "try again in a moment",
        errors.DatabaseDamaged: _OPERATOR + "stop it, restore the last backup, and start it again",
        errors.DatabaseMissing: _OPERATOR + "put the file back, or restore the last backup, and "
        "start it again",
        errors.DatabaseReadOnly: _OPERATOR + "make it writable again",
        errors.DiskFull: _OPERATOR + "free some space; then try again",
        errors.ChangeUnconfirmed: "look whether it was made, then try again",
        errors.CollectionSealed: _OPERATOR
        + "restart it with VULTUS_MASTER_KEY_FILE, and see its log for the cause",
        errors.IndexUnavailable: "try again in a moment; should it last, who runs the service has "
        "to look at Milvus and VULTUS_INDEX__MILVUS_URI",
        errors.IndexUnsupported: _OPERATOR + "run a version of Milvus that is supported",
        errors.RevisionNotReached: "try again, or send a revision that a write to this collection "
        "answered",
        errors.NotReady: "try again in a second",
        errors.DeadlineExceeded: "try again later, or give more time in x-request-timeout-ms",
        errors.FetchFailed: NEVER,  # only the command line fetches networks
        errors.NotInCatalogue: NEVER,
        errors.LicenseNotAccepted: NEVER,
        errors.DigestUnknown: NEVER,
        errors.FileNotAsPinned: NEVER,
        errors.SourceUnavailable: NEVER,
        errors.OtherServiceFailed: NEVER,  # only the command line imports from other services
        errors.OtherServiceUnavailable: NEVER,
        errors.OtherServiceRefused: NEVER,
        errors.StartupError: NEVER,  # ends the process before it answers
        Reason.NO_FACE: "send a sharp photo in which the face is uncovered and large enough",
        Reason.SEVERAL_FACES: "send a photo of one face, or ask for faces=largest",
        **REASONS_THAT_SAY_ENOUGH,
        Reason.LOW_MATCH_CONFIDENCE: _unlike,
        Reason.BELONGS_TO_ANOTHER_IDENTITY: "enroll it there, or send force=true when they are two "
        "people",
    }
)
