"""Remedies for users of the command line."""

from typing import Final

from app import errors
from app.errors import (
    NetworkNotFetched,
    Reason,
    RejectedImage,
    RolloutImpossible,
    RolloutObstacle,
)
from app.remedies import NEVER, REASONS_THAT_SAY_ENOUGH, Remedies, or_raise_the_limit
from models.zoo.names import DEFAULT_NETWORK

_OBSTACLES: Final = {
    RolloutObstacle.ONE_EMBEDDER: "run vultus reembed --to NEW first",
    RolloutObstacle.SAME_EMBEDDER: "",
    RolloutObstacle.OTHER_ROLLOUT: "run vultus reembed purge first, which erases the embeddings of "
    "the second",
    RolloutObstacle.PURGED: "run vultus reembed again to start over",
    RolloutObstacle.SWITCHED: "undo it with vultus reembed rollback, or finish it with vultus "
    "reembed purge",
    RolloutObstacle.NOT_SWITCHED: "",
    RolloutObstacle.SWITCHED_MEANWHILE: "see vultus reembed status",
    RolloutObstacle.LACKING_SERVING: "re-embed them (vultus reembed --to {embedder} --photos "
    "FOLDER), or delete them",
    RolloutObstacle.LACKING_SECOND: "run vultus reembed --to {embedder}, which embeds the faces "
    "whose photos it finds, and lists the others",
    RolloutObstacle.FIXED_SIMILARITY: "set the option to null, or give the collection an "
    "error rate instead",
    RolloutObstacle.FIXED_FOR_PEOPLE: "remove the thresholds of these people",
    RolloutObstacle.NOT_MEASURED: "calibrate it on photos (vultus calibrate FOLDER), or enroll "
    "more people, and run vultus reembed again",
}


def _rollout(error: RolloutImpossible) -> str:
    """The remedy for each obstacle; docs/rollout.md lists them."""
    remedies = [_OBSTACLES[obstacle].format_map(vars(error)) for obstacle in error.obstacles]
    if error.can_be_forced:
        remedies.append("or use --force")
    return "; ".join(filter(None, remedies))


def _fetch(error: NetworkNotFetched) -> str:
    """Run vultus models fetch NAME, with --accept-license where the licence asks for it."""
    accepting = " --accept-license" if error.needs_acceptance else ""
    return f"run: vultus models fetch {error.name}{accepting}"


def _unlike(image: RejectedImage) -> str:
    """Give another photo of the person, or use --force."""
    if image.resemblance is not None and image.resemblance.identity_id is None:
        return "give photos of one person, or --force if they are"
    return "give another photo, or --force if it shows this person"


_OR_RAISE: Final = ", or raise"


TERMINAL: Final = Remedies(
    {
        errors.VultusError: None,
        errors.InputError: None,
        errors.InvalidRequest: None,  # names what is wrong and what is expected
        errors.SeveralCollections: "choose one with --collection",
        errors.UnsupportedMediaType: NEVER,
        errors.UnsupportedContentEncoding: NEVER,
        errors.RequestTooLarge: or_raise_the_limit("give less at once", _OR_RAISE),
        errors.HeadersTooLarge: NEVER,
        errors.MalformedRequest: NEVER,
        errors.RequestTimeout: NEVER,
        errors.ImageTooLarge: "give a smaller copy, or raise {setting}",
        errors.ImageUnreadable: None,  # says what to give in its place
        errors.ImageInText: "decode the text",
        errors.DecodingTooSlow: "save the photo as JPEG",
        errors.NoUsableImage: None,  # each photo is listed with its own remedy
        errors.IdentityWithoutFace: "enroll a photo of them with vultus enroll-folder",
        errors.ConsentRequired: "give --consent PURPOSE; in the lines of a batch, the field "
        '`consent`, as {{"purpose": "access"}}',
        errors.RetentionTooLong: "leave expires_at out, or give an earlier one",
        errors.ThresholdRequired: "give --threshold, measure the error rates on your own photos "
        "with vultus calibrate FOLDER, or set {settings}",
        errors.CalibrationImpossible: None,  # says how many people it takes
        errors.WebhookTargetRefused: "give another URL, or permit it by VULTUS_WEBHOOKS__HOSTS, "
        "VULTUS_WEBHOOKS__NETWORKS or VULTUS_WEBHOOKS__HTTP",
        errors.LivenessOff: "run vultus models fetch minifasnet-v2, and set "
        "VULTUS_LIVENESS__NAME=minifasnet-v2; see docs/liveness.md",
        errors.LivenessNotMeasurable: None,  # says how many captures it takes
        errors.ArchiveUnusable: "check the path and the free space",
        errors.NotAnArchive: "give an archive that vultus export wrote",
        errors.ArchiveDamaged: "copy the original again, or export it again",
        errors.ArchiveTooNew: "upgrade Vultus and import again",
        errors.ArchivedCalibrationUnusable: "import without --with-calibration, and calibrate the "
        "collection here",
        errors.ArchiveSealed: "give its passphrase (--passphrase-file, or when asked) or its key "
        "(--key-file), or set the master key of the gallery that wrote it",
        errors.NotExportable: "correct it or delete it, and export again",
        errors.AccessDenied: "give a valid key with --api-key",
        errors.HostUnknown: NEVER,
        errors.CrossSite: NEVER,
        errors.KeyExpired: "make another with vultus keys add",
        errors.KeyRevoked: "make another with vultus keys add",
        errors.SignatureRefused: NEVER,
        errors.Forbidden: None,
        errors.RightMissing: "give a key that has it with --api-key",
        errors.CollectionNotGranted: NEVER,  # commands act without a key
        errors.CollectionUndecided: NEVER,
        errors.NotFound: None,
        errors.KeyNotFound: "see vultus keys list",
        errors.WebhookNotFound: "see vultus webhooks list",
        errors.EventNotKept: "see vultus webhooks list",
        errors.CollectionNotFound: "see vultus collections list, or create it with vultus "
        "collections create NAME",
        errors.CollectionNotInArchive: None,
        errors.IdentityNotFound: None,
        errors.ConsentNotFound: NEVER,  # only requests name consents
        errors.FaceNotFound: None,
        errors.HoldNotFound: "see vultus hold list --collection {collection}",
        errors.UnknownGroupNotFound: None,
        errors.UnknownFaceNotFound: None,
        errors.CropNotKept: NEVER,  # only requests read crops
        errors.UnknownCropNotKept: NEVER,
        errors.Conflict: None,
        errors.CollectionExists: "choose another name",
        errors.ExternalIdTaken: "choose another, or add faces to the person who has it",
        errors.WrongPerson: "--force enrolls them anyway",
        errors.RevisionConflict: "look at these people again (vultus gallery doctor), and decide "
        "again",
        errors.CountChanged: NEVER,  # only requests delete by a filter
        errors.PersonHeld: "vultus hold list --collection {collection} shows who is held, and why; "
        "vultus hold lift ends a hold",
        errors.TooManyFaces: NEVER,  # only requests limit the faces of a person
        errors.WithdrawalErases: NEVER,  # only requests withdraw consents
        errors.RolloutImpossible: _rollout,
        errors.IdempotencyKeyReused: NEVER,  # only requests have such keys
        errors.KeyInactive: "make another with vultus keys add",
        errors.TooManyWebhooks: "remove one with vultus webhooks remove",
        errors.KeySecretSealed: "give its holder another with vultus keys rotate",
        errors.WebhookSecretSealed: "give it another with vultus webhooks rotate",
        errors.EmbeddingUnreadable: "delete face {face_id}, and enroll a photo of it again; or "
        "restore its row from a backup; vultus encrypt verify lists all such rows",
        errors.CropUnreadable: NEVER,  # only requests read crops
        errors.EmbedderMismatch: "set VULTUS_EMBEDDER={embedder} and its weights, or use another "
        "VULTUS_DATABASE_URL or VULTUS_DATA_DIR, or delete the collection and enroll again",
        errors.ForeignEmbedding: "give a photo, or set VULTUS_EMBEDDER={embedder}",
        errors.OtherEmbedderMissing: "add a second one with vultus reembed --to NAME, and name "
        "it with VULTUS_NEXT__EMBEDDER and VULTUS_NEXT__WEIGHTS_PATH",
        errors.ArchiveOfOtherEmbedder: "import it into another collection with --into",
        errors.TooManyRequests: NEVER,
        errors.RateLimited: NEVER,
        errors.TooManyAtOnce: NEVER,
        errors.TooManySearches: NEVER,
        errors.Unavailable: None,
        errors.Overloaded: or_raise_the_limit("try again in a second", _OR_RAISE),
        errors.DatabaseUnavailable: "try again in a moment",
        errors.Busy: "try again when it has ended",
        errors.Stopping: NEVER,
        errors.DatabaseLocked: "try again in a moment, or end the other process",
        errors.DatabaseDamaged: "stop the service, restore the last backup (or, of SQLite, what "
        "sqlite3 FILE .recover gives), and start it again",
        errors.DatabaseMissing: "put the file back, or restore the last backup, and start again",
        errors.DatabaseReadOnly: "make it writable, and try again",
        errors.DiskFull: "free some space, and try again",
        errors.ChangeUnconfirmed: "check whether the change was made, then try again",
        errors.CollectionSealed: "set the master key of the service (VULTUS_MASTER_KEY_FILE), and "
        "run vultus encrypt verify",
        errors.IndexUnavailable: "try again in a moment; if it lasts, check Milvus and "
        "VULTUS_INDEX__MILVUS_URI",
        errors.IndexUnsupported: "run a version of Milvus that is supported; see docs/milvus.md",
        errors.RevisionNotReached: NEVER,
        errors.NotReady: "try again in a second",
        errors.DeadlineExceeded: "try again",
        errors.FetchFailed: None,  # says what is missing
        errors.NotInCatalogue: "see vultus models catalogue",
        errors.LicenseNotAccepted: "read it, and run vultus models fetch {name} --accept-license "
        "if you may use the network under it",
        errors.DigestUnknown: "give a digest that you trust: vultus models fetch {name} --sha256 "
        "HEX",
        errors.FileNotAsPinned: "nothing of it was kept; check the mirror or the folder, or report "
        "that the publisher changed the file",
        errors.SourceUnavailable: "check the network and the proxy, and run the command again, "
        "which continues where it stopped; or fetch from another place with --mirror, "
        "VULTUS_CATALOGUE__MIRROR or VULTUS_CATALOGUE__FOLDER",
        errors.OtherServiceFailed: None,
        errors.OtherServiceUnavailable: "check --url and the network, and run the command again: "
        "photos that were imported already are skipped",
        errors.OtherServiceRefused: "give the address of CompreFace with --url, and with --key the "
        "key of one of its services for face recognition",
        errors.StartupError: None,
        errors.SettingUnusable: "check {setting}",
        errors.NetworkNotMade: "register its file of an older installation "
        "(models/zoo/shipped/{name}.safetensors, SHA-256 {digest}): vultus models add FILE --name "
        "{name} --license TEXT; or move to another network while the service is stopped: vultus "
        f"reembed --to {DEFAULT_NETWORK} --photos FOLDER, then vultus reembed switch; "
        "docs/{name}.md explains both, and how it was made",
        errors.NetworkNotAdded: "register its file: vultus models add FILE --name {name} --license "
        "TEXT, with --channels, --mean, --std, --size-px and --mirror-average as in the settings "
        "VULTUS_ONNX__... of version 0.1.0; then remove VULTUS_WEIGHTS_PATH; the enrolled faces "
        "stay; see docs/networks.md",
        errors.PackagesMissing: "run: pip install 'vultus[{extra}]'",
        errors.NetworkNotFetched: _fetch,
        errors.MasterKeyMissing: "set VULTUS_MASTER_KEY_FILE, VULTUS_MASTER_KEY_COMMAND or "
        "VULTUS_MASTER_KEY to the key by which it was encrypted; without that key it cannot be "
        "read by anybody",
        errors.MasterKeyUnknown: "give that key; while the master key is changed, put the former "
        "one on the line after the new one",
        errors.DatabaseLost: "restore the database from a backup (and check VULTUS_DATA_DIR and "
        "VULTUS_DATABASE_URL), or run vultus db begin-anew to start with an empty one",
        errors.SchemaOutdated: "run: vultus db upgrade",
        errors.EmbedderChanged: "start with VULTUS_EMBEDDER={embedder} and its weights (of two "
        "embedders, name one with VULTUS_NEXT__EMBEDDER), or use "
        "another VULTUS_DATABASE_URL or VULTUS_DATA_DIR, or delete the collection and enroll again",
        Reason.NO_FACE: "give a sharp photo in which the face is uncovered and large enough",
        Reason.SEVERAL_FACES: "give a photo of one face, or --faces largest",
        **REASONS_THAT_SAY_ENOUGH,
        Reason.LOW_MATCH_CONFIDENCE: _unlike,
        Reason.BELONGS_TO_ANOTHER_IDENTITY: "enroll it there, or use --force if they are two "
        "people",
    }
)
