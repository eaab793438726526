"""Topics, in which any name is one level (MQTT 3.1.1, 4.7)."""

import re
from hashlib import sha256

# Brokers end the connection of who sends one (MQTT 5, 1.5.4), and the message would never go out.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_UNSAFE = re.compile(rf"[#+/%$\x00-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]")
_NO_OBJECT_ID = re.compile(r"[^A-Za-z0-9_-]")
_LEVEL_LENGTH = 256


def level(name: str) -> str:
    """Return a name as one level of a topic.

    Characters that separate levels or stand for any, control characters and those that are none in
    Unicode are quoted as in URLs, so that two names stay two.
    """
    quoted = _UNSAFE.sub(_quoted, name)
    return _cut(quoted, name, _LEVEL_LENGTH) or "%"


def object_id(*names: str) -> str:
    """Return names as an id of Home Assistant: letters, digits, underscores and hyphens.

    Where a name has others, a digest keeps two names apart.
    """
    plain = "_".join(names)
    safe = _NO_OBJECT_ID.sub("_", plain)
    is_same = safe == plain and "_" not in "".join(names)
    return safe if is_same else f"{safe[:64]}_{_digest(*names)}"


def _quoted(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "surrogatepass"))


def _cut(text: str, name: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 9]}%{_digest(name)}"


def _digest(*names: str) -> str:
    text = "\0".join(names).encode("utf-8", "surrogatepass")
    return sha256(text).hexdigest()[:8]
