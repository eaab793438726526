"""The face of a photo on disk that is meant. Imports nothing, as help texts name the choices."""

from enum import StrEnum


class SubjectRule(StrEnum):
    """Whom a photo of several faces shows: nobody, the largest face, or the most central one."""

    SINGLE = "single"
    LARGEST = "largest"
    CENTRAL = "central"
