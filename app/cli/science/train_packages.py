"""Packages that only some commands need, which an installation for serving does not have."""

from importlib.util import find_spec
from typing import Final

from app.errors import PackagesMissing

TRAIN: Final = "train"
"""The extra of what measures, trains and tunes networks."""

TRAIN_PACKAGES: Final = (
    "jinja2",
    "matplotlib",
    "pytorch_metric_learning",
    "scipy",
    "sklearn",
    "threadpoolctl",
)


def require_train_packages(command: str) -> None:
    """Raise PackagesMissing before the command has done any work."""
    missing = [name for name in TRAIN_PACKAGES if find_spec(name) is None]
    if missing:
        raise PackagesMissing(
            f"vultus {command} needs packages that are not installed: {', '.join(missing)}",
            extra=TRAIN,
        )
