"""What a key may do, and the roles that are names for sets of that."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What a key may do. docs/keys.md says which requests need which right."""

    READ = "read"
    """See people, their faces, the inbox of unknown faces and the doctor's findings."""
    IDENTIFY = "identify"
    """Identify, verify, detect, and measure quality."""
    ENROLL = "enroll"
    """Add people and faces; name unknown faces."""
    CORRECT = "correct"
    """Change, move, merge and delete people, faces and unknown faces."""
    TEMPLATES = "templates"
    """Make embeddings, and search by embeddings of one's own."""
    AUDIT = "audit"
    """See who did what."""
    ADMIN = "admin"
    """Manage collections, their options and calibration, and keys."""


class Role(StrEnum):
    """A name for a set of rights."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENROLLER = "enroller"
    OFFICER = "officer"
    INTEGRATOR = "integrator"
    ADMIN = "admin"
    CUSTOM = "custom"
    """Rights that were chosen one by one."""


_WORKS_WITH_PEOPLE = (Right.READ, Right.IDENTIFY)

RIGHTS_OF: Final[Mapping[Role, tuple[Right, ...]]] = {
    Role.VIEWER: (Right.READ,),
    Role.OPERATOR: _WORKS_WITH_PEOPLE,
    Role.ENROLLER: (*_WORKS_WITH_PEOPLE, Right.ENROLL),
    Role.OFFICER: (*_WORKS_WITH_PEOPLE, Right.CORRECT, Right.AUDIT),
    Role.INTEGRATOR: (*_WORKS_WITH_PEOPLE, Right.ENROLL, Right.CORRECT, Right.TEMPLATES),
    Role.ADMIN: tuple(Right),
    Role.CUSTOM: (),
}


def rights_and_role(role: Role, more: tuple[Right, ...] = ()) -> tuple[tuple[Right, ...], Role]:
    """Return the rights of a role with `more`, in the order of `Right`, and what to call them."""
    wanted = {*RIGHTS_OF[role], *more}
    rights = tuple(right for right in Right if right in wanted)
    return rights, role if rights == RIGHTS_OF[role] else Role.CUSTOM
