"""The text of figures."""

import math

from models.evaluation.report.compare_reports import Difference
from models.evaluation.report.report_document import Figure


def value(figure: Figure) -> str:
    return _shown(figure.value, figure.kind)


def ends(figure: Figure) -> str:
    """The text of the interval, or an empty text."""
    return " to ".join(_shown(end, figure.kind) for end in figure.interval or ())


def change(difference: Difference) -> str:
    return _shown(difference.difference, difference.kind, sign="+")


def change_ends(difference: Difference) -> str:
    """The text of the interval of the difference, or an empty text."""
    return " to ".join(_shown(end, difference.kind, "+") for end in difference.interval or ())


def now_and_then(difference: Difference) -> tuple[str, str]:
    return _shown(difference.now, difference.kind), _shown(difference.then, difference.kind)


def _shown(number: float, kind: str, sign: str = "") -> str:
    if not math.isfinite(number):
        return "-" if math.isnan(number) else "infinite"
    if kind == "count":
        return f"{number:{sign},.0f}"
    if kind == "ratio":
        return f"{number:{sign}.2f}"
    if kind == "share" and 0 < abs(number) < 0.001:
        return f"{number:{sign}.1e}"
    # Five digits for shares near 1, as is usual for an AUC.
    digits = 5 if kind == "share" and 0.999 < number < 1 else 4
    return f"{number:{sign}.{digits}f}"
