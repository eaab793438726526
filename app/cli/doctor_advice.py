"""What to do about a finding of the doctor, for users of the command line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.gallery.doctor import FindingKind

ADVICE: Final[Mapping[FindingKind, str]] = MappingProxyType(
    {
        FindingKind.MISLABEL: "probably a photo of the other person: look at both, and move this "
        "face to them",
        FindingKind.DUPLICATE: "probably one person under two names: look at both, and merge them",
        FindingKind.OUTLIER: "unlike the person's other faces: another person, or a poor photo; "
        "look at it, and delete this face, or move it to whom it shows, unless it is them",
        FindingKind.LOOK_ALIKE: "two people who are easily taken for each other: add more photos "
        "of both, and ask for a second factor where it matters",
    }
)
