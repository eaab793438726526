"""Open files: each connection takes one, and so do the database and the index."""

import sys

import structlog

if sys.platform != "win32":  # which has no such limit
    import resource

_WANTED = 65_536
_OWN = 256
"""Files of the service itself, with a good reserve: databases, indexes, spooled bodies, photos."""

_log = structlog.get_logger(__name__)


def allow_many_open_files() -> None:
    """Raise this process's limit of open files as far as the system lets it without more rights."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_that_fit(wanted: int) -> int:
    """Return how many of the wanted connections fit into the limit of open files."""
    if sys.platform == "win32":
        return wanted
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    fitting = max(1, soft - min(_OWN, soft // 2))
    if fitting < wanted:
        _log.warning(
            "few_open_files",
            limit=soft,
            connections=fitting,
            remedy="raise the limit of open files (ulimit -n), or lower "
            "VULTUS_LIMITS__MAX_CONNECTIONS",
        )
    return min(wanted, fitting)
