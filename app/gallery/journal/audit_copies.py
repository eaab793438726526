"""The copies of the audit log that the settings ask for."""

from app.gallery.journal.audit_file import file_follower
from app.gallery.journal.line_follower import LineFollower
from app.gallery.journal.syslog_place import SyslogTarget, syslog_follower
from app.gallery.store.database import Database
from app.settings import Settings


def audit_copies(database: Database, settings: Settings) -> list[LineFollower]:
    audit = settings.audit
    copies: list[LineFollower] = []
    if audit.file is not None:
        copies.append(file_follower(database, audit.file))
    if audit.syslog is not None:
        target = SyslogTarget(
            audit.syslog, audit.syslog_ca, audit.syslog_certificate, audit.syslog_key
        )
        copies.append(syslog_follower(database, target, settings.data_dir))
    return copies
