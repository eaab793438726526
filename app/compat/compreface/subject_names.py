"""Names of subjects, and the people they stand for."""

from app.compat.compreface.refusals import malformed, out_of_bounds
from app.compat.person_names import find_any_case, is_unicode
from app.gallery.gallery import Gallery
from app.gallery.records import Identity

_MOST_CHARACTERS = 50
_FORBIDDEN = frozenset(";/\\\x00")


def require_name(name: str) -> str:
    """Return the name of a new subject. Raises Refused for one that no subject may have."""
    require_given(name)
    if len(name) > _MOST_CHARACTERS:
        raise out_of_bounds(f"subject must have at most {_MOST_CHARACTERS} characters")
    if _FORBIDDEN & set(name) or not is_unicode(name):
        raise malformed("subject must not contain ; / \\ or what is no Unicode text")
    return name


def require_given(name: str) -> str:
    """Return a name. Raises Refused for a blank one."""
    if not name.strip():
        raise out_of_bounds("subject must not be blank")
    return name


def find_subject(gallery: Gallery, collection: str, name: str) -> Identity | None:
    """Find the person of a subject, whatever the case; the exact spelling wins. It blocks.

    Raises Refused where several people have this name: which of them is meant is not known.
    """
    people = find_any_case(gallery, collection, name)
    if len(people) > 1:
        raise malformed(
            f"{len(people)} people are called {name}; give each an external_id of their own, or "
            "merge them"
        )
    return people[0] if people else None
