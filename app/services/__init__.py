"""The composition root: builds everything from the settings, starts it and stops it."""

from app.services.services import Services

__all__ = ["Services"]
