"""What the operations do, a file a subject. They call the operations that the API calls."""

from app.compat.rekognition.operations import collections

__all__ = ["collections"]
