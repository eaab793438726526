"""Enrolled faces by their ids."""

from app.compat.compreface.image_ids import face_id_of
from app.gallery.gallery import Gallery
from app.gallery.records import FaceFilter, OwnedFace


def find_face(gallery: Gallery, collection: str, image_id: str) -> OwnedFace | None:
    """Find a face of a subject with its owner; None if there is none of this id. It blocks."""
    face_id = face_id_of(image_id)
    if face_id is None:
        return None
    wanted = FaceFilter(face_ids=(face_id,), anonymous=False)
    return next(iter(gallery.faces.listed(collection, wanted, limit=1).items), None)
