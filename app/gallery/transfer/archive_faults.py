"""Errors of an archive that is not as it was written."""

from pydantic import ValidationError

from app.errors import ArchiveDamaged, NotAnArchive


def damaged(fact: str) -> ArchiveDamaged:
    return ArchiveDamaged(f"the archive is damaged: {fact}")


def not_ours() -> NotAnArchive:
    return NotAnArchive("the zip file is no archive of a gallery")


def first_problem(error: ValidationError) -> str:
    """Place and kind of the first fault."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'it'}: {first['msg']}"
