"""Options of a collection, which override the service's settings; stored with it as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from app.gallery.value_types import (
    ErrorRate,
    LongestRetentionSeconds,
    Margin,
    RetentionSeconds,
    Similarity,
)


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """Defaults of a collection's decisions; None leaves one to the service.

    `target_fmr` and `target_fpir` are error rates, 0 to 1 (exclusive); `verify_threshold` and
    `identify_threshold` are similarities, and win over the rates; `margin` is the difference of
    similarities below which two people who both match are ambiguous.
    """

    target_fmr: ErrorRate | None = None
    target_fpir: ErrorRate | None = None
    verify_threshold: Similarity | None = None
    identify_threshold: Similarity | None = None
    margin: Margin | None = None

    def fixed_similarities(self) -> tuple[str, ...]:
        """Names of the options that mean something else to another embedder.

        A margin of 0 is none by any embedder.
        """
        values = {
            "verify_threshold": self.verify_threshold,
            "identify_threshold": self.identify_threshold,
            "margin": self.margin or None,
        }
        return tuple(name for name, value in values.items() if value is not None)


@dataclass(frozen=True, slots=True)
class UnknownOptions:
    """Whether faces that are answered `unknown` are kept, as embeddings, and for how long; with
    `crops`, also a sealed crop of each."""

    keep: bool = False
    retention_s: RetentionSeconds | None = None
    crops: bool = False


@dataclass(frozen=True, slots=True)
class CropOptions:
    """Whether crops of enrolled faces are kept, sealed, to embed them by other embedders later."""

    keep: bool = False


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """Whether reads of people have lines in the audit log, as changes always have."""

    reads: bool = False


@dataclass(frozen=True, slots=True)
class PeopleOptions:
    """Whether people are enrolled with a consent only, and for how long at most.

    People who are there already are not affected.
    """

    require_consent: bool = False
    longest_retention_s: LongestRetentionSeconds | None = None


@dataclass(frozen=True, slots=True)
class CollectionOptions:
    decisions: DecisionOptions = field(default_factory=DecisionOptions)
    unknowns: UnknownOptions = field(default_factory=UnknownOptions)
    crops: CropOptions = field(default_factory=CropOptions)
    audit: AuditOptions = field(default_factory=AuditOptions)
    people: PeopleOptions = field(default_factory=PeopleOptions)


DEFAULT_OPTIONS = CollectionOptions()
_GROUPS = {
    "decisions": DecisionOptions,
    "unknowns": UnknownOptions,
    "crops": CropOptions,
    "audit": AuditOptions,
    "people": PeopleOptions,
}


OptionsPatch = Mapping[str, Mapping[str, object]]
"""Some options by group and name; None sets one back to its default."""


def from_json(stored: Mapping[str, Any]) -> CollectionOptions:
    """Read stored options. Missing ones have their defaults; unknown ones are passed over."""
    groups = {
        name: kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})
        for name, kind in _GROUPS.items()
        if isinstance(values := stored.get(name), dict)
    }
    return CollectionOptions(**groups)


def patched(stored: Mapping[str, Any], patch: OptionsPatch) -> dict[str, Any]:
    """Options as they are stored, with these changed; the others stay (JSON merge, RFC 7396)."""
    result = {name: dict(values) for name, values in stored.items()}
    for name, changes in patch.items():
        group = {**result.get(name, {}), **changes}
        result[name] = {key: value for key, value in group.items() if value is not None}
    return result
