"""Options of an index: when and how coarsely it searches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """The defaults are measured, at dimensions 128 and 512."""

    exact_up_to: int = 100_000
    """Faces up to which all rows are scanned, in 3 ms; codes are dropped at half of it."""

    listed_above: int = 5_000_000
    """Faces above which codes are in lists; and at half of it no more."""

    refine_factor: int = 16
    """Candidates that codes propose for each face to be answered."""

    fewest_candidates: int = 512

    gather_cost: int = 8
    """Fetching one row here and there takes as long as scanning so many."""

    probed_share: float = 1 / 8
    """Of the lists, how many are looked at for a probe."""

    fresh_at_most: int = 1024
    """Rows that every search scans before they are given codes."""
