"""What each of several processes does that upgrade one database at the same moment."""

from multiprocessing.synchronize import Barrier

from app.gallery.store.database import Database


def upgrade_together(url: str, all_ready: Barrier) -> None:
    database = Database(url, timeout_s=30)
    all_ready.wait()
    database.upgrade()
    database.require_current_schema()
