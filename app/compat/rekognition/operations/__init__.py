"""What the operations do, a file a subject. They call the operations that the API calls."""

from app.compat.rekognition.operations import (
    collections,
    face_searches,
    faces,
    indexing,
    photos,
    user_searches,
    users,
)

__all__ = [
    "collections",
    "face_searches",
    "faces",
    "indexing",
    "photos",
    "user_searches",
    "users",
]
