"""DetectFaces and CompareFaces: photos alone, of which nothing is kept."""

from app.compat.rekognition.faces_shown import face_detail_of
from app.compat.rekognition.faults import NoFaceToCompare
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.schemas.faces import (
    CompareFacesInput,
    CompareFacesMatch,
    CompareFacesOutput,
    DetectFacesInput,
    DetectFacesOutput,
)
from app.compat.rekognition.schemas.shown_faces import ComparedFace, ComparedSourceFace
from app.compat.rekognition.similarities import percent_of
from app.errors import NoUsableImage
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.verification import Comparison, Verification
from app.operations.identify.verify_options import VerifyOptions
from app.operations.identify.verify_sides import PhotoSide
from app.operations.policy.face_rules import QualityFilter, VerifyFaces
from app.recognition.select import largest_faces
from app.recognition.types import EmbeddedFace, ImageSize

_MOST_FACES = 100


@operation("CompareFaces", CompareFacesInput, right=Right.IDENTIFY)
async def compare_faces(call: Call[CompareFacesInput]) -> CompareFacesOutput:
    """Compare the largest face of a photo with each face of another one."""
    body = call.body
    source = PhotoSide(body.source_image.file, VerifyFaces.LARGEST, "SourceImage")
    target = PhotoSide(body.target_image.file, VerifyFaces.ANY, "TargetImage")
    options = VerifyOptions(
        quality_filter=QualityFilter(body.quality_filter.lower()), max_faces=_MOST_FACES
    )
    try:
        done = await call.services.verify.compare(source, target, options)
    except NoUsableImage as error:
        raise NoFaceToCompare from error
    call.services.metrics.decisions.labels("verify", done.status).inc()
    call.note_read(Action.VERIFIED)
    if done.rejected:
        raise NoFaceToCompare
    return _compared(done, body.similarity_threshold)


@operation("DetectFaces", DetectFacesInput, right=Right.IDENTIFY, large=True)
async def detect_faces(call: Call[DetectFacesInput]) -> DetectFacesOutput:
    """Find the faces of a photo, the 100 largest of them."""
    photo = await call.services.recognizer.detect(
        call.body.image.file, assess=largest_faces(_MOST_FACES)
    )
    return DetectFacesOutput(
        face_details=[face_detail_of(one.face, one.quality, photo.size) for one in photo.assessed]
    )


def _compared(done: Verification, least: float) -> CompareFacesOutput:
    of_source, of_target = done.sizes
    found = [(_percent(one), one) for one in done.comparisons]
    shown = _face_of(done.comparisons[0].embedded[0], of_source)
    return CompareFacesOutput(
        source_image_face=ComparedSourceFace(
            bounding_box=shown.bounding_box, confidence=shown.confidence
        ),
        face_matches=[
            CompareFacesMatch(similarity=percent, face=_face_of(one.embedded[1], of_target))
            for percent, one in found
            if percent >= least
        ],
        unmatched_faces=[
            _face_of(one.embedded[1], of_target) for percent, one in found if percent < least
        ],
    )


def _percent(found: Comparison) -> float:
    similarity = found.similarity
    assert similarity is not None  # of photos nothing is withheld
    return percent_of(found.scale, similarity, is_match=similarity >= found.threshold)


def _face_of(embedded: EmbeddedFace, size: ImageSize) -> ComparedFace:
    return ComparedFace(**vars(face_detail_of(embedded.face, embedded.quality, size)))
