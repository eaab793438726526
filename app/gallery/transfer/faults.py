"""What is said of an archive that is not as it was written."""

from pydantic import ValidationError

from app.errors import ArchiveUnusable


def damaged(fact: str) -> ArchiveUnusable:
    return ArchiveUnusable(
        f"the archive is damaged: {fact}; copy it again from where it was made, or export again"
    )


def not_ours() -> ArchiveUnusable:
    return ArchiveUnusable(
        "the zip file is no archive of a gallery; give one that vultus export wrote"
    )


def first_problem(error: ValidationError) -> str:
    """Where and what, of the first thing that is wrong."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'it'}: {first['msg']}"
