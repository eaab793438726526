"""Announce a change to the other processes."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

CHANNEL = "vultus_changes"
"""The channel of PostgreSQL's NOTIFY on which a change of any collection or key is announced."""


def announce(session: Session) -> None:
    """Wake the other processes when this is committed; see ChangeSignal."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, "")))
