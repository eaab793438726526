"""IndexFaces: each face of a photo becomes a face without a user."""

from app.compat.rekognition.faces_shown import face_detail_of, shown_face
from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.reasons import reasons_of
from app.compat.rekognition.schemas.faces import (
    FaceRecord,
    IndexFacesInput,
    IndexFacesOutput,
    UnindexedFace,
)
from app.gallery.keys.rights import Right
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.faces_enroller import PhotoEnrollment
from app.operations.policy.face_rules import QualityFilter


@operation("IndexFaces", IndexFacesInput, right=Right.ENROLL)
async def index_faces(call: Call[IndexFacesInput]) -> IndexFacesOutput:
    """Enroll every face of a photo. A photo that is sent again has the same faces."""
    body, services = call.body, call.services
    most = services.settings.limits.max_faces
    done = await services.enroll_faces.photo(
        body.collection_id,
        body.image.file,
        EnrollOptions(
            quality_filter=QualityFilter(body.quality_filter.lower()),
            image_label=body.external_image_id,
        ),
        max_faces=None if body.max_faces is None else min(body.max_faces, most),
    )
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.left_out_reasons)
    return _indexed(done)


def _indexed(done: PhotoEnrollment) -> IndexFacesOutput:
    return IndexFacesOutput(
        face_records=[
            FaceRecord(
                face=shown_face(one.enrolled, one.identity, done.model.digest),
                face_detail=face_detail_of(one.face, one.quality, done.size),
            )
            for one in done.faces
        ],
        unindexed_faces=[
            UnindexedFace(
                reasons=reasons_of(one.reasons),
                face_detail=face_detail_of(one.face, one.quality, done.size),
            )
            for one in done.left_out
        ],
        face_model_version=model_version(done.model.digest),
    )
