"""The routes, a file a resource of CompreFace."""

from collections.abc import Sequence

from fastapi import APIRouter

from app.compat.compreface.routes import (
    detection,
    faces,
    images,
    sizes,
    subjects,
)

ROUTERS: Sequence[APIRouter] = (
    sizes.router,
    subjects.router,
    faces.router,
    images.router,
    detection.router,
)
