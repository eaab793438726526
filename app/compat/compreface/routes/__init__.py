"""The routes, a file a resource of CompreFace."""

from collections.abc import Sequence

from fastapi import APIRouter

from app.compat.compreface.routes import (
    detection,
    embeddings,
    examples,
    faces,
    images,
    recognition,
    sizes,
    subjects,
    verification,
)

ROUTERS: Sequence[APIRouter] = (
    sizes.router,
    subjects.router,
    faces.router,
    images.router,
    recognition.router,
    examples.router,
    embeddings.router,
    detection.router,
    verification.router,
)
