"""The options of an evaluation."""

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """Parts of an evaluation."""

    PAIRS = "pairs"
    ALL_PAIRS = "all-pairs"
    CLOSED_SET = "closed-set"
    OPEN_SET = "open-set"
    CLUSTERS = "clusters"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """`verify_thresholds` and `identify_thresholds` are similarities at which rates are reported.

    A report omits rates that the data cannot show. `enroll_photos` photos of each person are
    enrolled; in the open set, `enrolled_share` of the people are. `seed` determines every draw.
    """

    verify_thresholds: tuple[float, ...] = ()
    identify_thresholds: tuple[float, ...] = ()
    fmrs: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    fpirs: tuple[float, ...] = (1e-1, 1e-2, 1e-3)
    ranks: tuple[int, ...] = (1, 5, 10)
    recall_ks: tuple[int, ...] = (1, 2, 4, 8)
    enroll_photos: int = 1
    enrolled_share: float = 0.5
    replicates: int = 1_000
    seed: int = 0
