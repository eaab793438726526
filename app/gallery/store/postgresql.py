"""How connections to PostgreSQL are made; its driver is imported where one is."""

from collections.abc import Callable

_CONNECT_WITHIN_S = 5.0

GivesUp = Callable[[float], bool]
"""Returns whether a wait that has lasted so many seconds is to be given up."""


def postgresql_arguments(timeout_s: float) -> dict[str, int | str]:
    """Arguments of every connection, beside those of the URL."""
    return {
        "connect_timeout": max(1, int(min(timeout_s, _CONNECT_WITHIN_S))),
        "options": f"-c lock_timeout={int(timeout_s * 1000)}",
        # A server that is cut off is noticed within the timeout, not after hours.
        "tcp_user_timeout": int(timeout_s * 1000),
        "keepalives_idle": max(1, int(timeout_s / 2)),
        "keepalives_interval": max(1, int(timeout_s / 6)),
        "keepalives_count": 3,
    }
