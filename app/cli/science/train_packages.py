"""Packages that only some commands need, which an installation for serving does not have."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from app.errors import PackagesMissing

REPORT: Final = "report"
"""The extra of what measures networks."""

REPORT_PACKAGES: Final = ("jinja2", "matplotlib", "scipy", "sklearn", "threadpoolctl")

TRAIN: Final = "train"
"""The extra of what measures, trains and tunes networks."""

TRAIN_PACKAGES: Final = (*REPORT_PACKAGES, "pytorch_metric_learning", "torch")


def require_report_packages(command: str) -> None:
    """Raise PackagesMissing before the command has done any work."""
    _require(REPORT_PACKAGES, command, extra=REPORT)


def require_train_packages(command: str) -> None:
    """Raise PackagesMissing before the command has done any work."""
    _require(TRAIN_PACKAGES, command, extra=TRAIN)


def _require(packages: Sequence[str], command: str, *, extra: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise PackagesMissing(
            f"vultus {command} needs packages that are not installed: {', '.join(missing)}",
            extra=extra,
        )
