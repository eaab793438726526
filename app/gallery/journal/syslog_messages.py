"""Lines of the audit log as messages of syslog.

RFC 5424 for collectors; the form of syslog(3) for the socket of this machine, which is what the
daemons behind `/dev/log` read. The message is the line as JSON, as in the file and in exports.
"""

import json
import socket
from datetime import UTC

from app.gallery.journal.actions import DONE
from app.gallery.journal.chain import Line, line_document

_FACILITY = 13  # log audit
_INFORMATIONAL, _WARNING = 6, 4
_APP = "vultus"
_NIL = "-"
_MSGID_LENGTH = 32


def message_of(line: Line, *, hostname: str) -> bytes:
    """Return a message of RFC 5424. `hostname`: printable ASCII without spaces."""
    at = line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    msgid = line.action[:_MSGID_LENGTH] or _NIL
    head = f"<{_priority(line)}>1 {at} {hostname} {_APP} {_NIL} {msgid} {_NIL} "
    return head.encode("ascii") + _text(line)


def local_message_of(line: Line) -> bytes:
    """Return a message for the socket of this machine, whose daemon adds time and host itself."""
    return f"<{_priority(line)}>{_APP}: ".encode("ascii") + _text(line)


def framed(message: bytes) -> bytes:
    """Count the octets before a message, as on TCP (RFC 6587, 3.4.1) and TLS (RFC 5425, 4.3)."""
    return b"%d %b" % (len(message), message)


def without_details(line: Line) -> Line:
    """Return a line that fits into a datagram; its HMAC is that of the whole one."""
    values = {name: getattr(line, name) for name in Line.__dataclass_fields__}
    return Line(**{**values, "details": '{"omitted":true}'})


def hostname() -> str:
    """Return the name of this machine as messages have it."""
    name = "".join(c for c in socket.gethostname() if c.isascii() and c.isprintable() and c != " ")
    return name[:255] or _NIL


def _priority(line: Line) -> int:
    return _FACILITY * 8 + (_INFORMATIONAL if line.outcome == DONE else _WARNING)


def _text(line: Line) -> bytes:
    return json.dumps(line_document(line)).encode("ascii")
