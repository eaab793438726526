"""A running service: its parts, how they are built, its start and stop."""

from app.services.composition import build_services
from app.services.services import Services

__all__ = ["Services", "build_services"]
