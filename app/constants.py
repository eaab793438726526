"""Values that are fixed in a service; tests and benchmarks give others."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Constants:
    """Given to `build_services`, and by `app.cli.serve.serve` to the service that it starts."""

    exact_up_to: int = 100_000
    """Faces of a collection up to which a search compares with each face."""
    listed_above: int = 5_000_000
    """Faces of a collection above which a search reads the nearest lists alone."""
    snapshot_above: int = 10_000
    """Faces from which on an index is also kept as a file."""
    snapshot_every_s: float = 300.0
    """Seconds between two renewals of these files, where they are outdated."""
    poll_s: float = 0.05
    """Seconds between two looks at the log of changes."""
    max_wait_s: float = 5.0
    """Longest wait for the `min_revision` of a request."""
    min_bytes_per_s: float = 1_000.0
    """Bytes a second on average, below which a body uses up the patience of the server."""
    terminal_people: int = 1_000
    """People that a terminal remembers."""
    sweep_every_s: float = 30.0
    """Seconds between two erasures of expired people and unknown faces."""
    keys_kept_s: float = 86_400.0
    """Seconds for which the answer to an Idempotency-Key is kept."""
    key_use_every_s: float = 60.0
    """Seconds between two writes of when API keys were used."""
    key_file_every_s: float = 1.0
    """Seconds between two looks whether the file of API keys has changed."""
    events_every_s: float = 0.5
    """Seconds between two looks for new events."""
    lease_s: float = 3.0
    """Seconds for which a process alone delivers to a target, unless it renews them."""
    log_revisions: int = 100_000
    """Revisions that the log of changes of a collection keeps."""
    unknown_faces_a_group: int = 20
    """Faces that are kept of a group of unknowns; the newest."""
    reserve_bytes: int = 16_000_000
    """Disk space kept beside SQLite's file: with it, people can be erased on a full disk."""


CONSTANTS: Final = Constants()
