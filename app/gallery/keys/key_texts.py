"""The text of a key: `vk_`, its id, `_`, and 32 random bytes in base64url.

The id is no secret: it finds the key, and names it in logs. As the rest is random, its SHA-256 can
be kept: a slow hash would only slow each request.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

_RANDOM_BYTES = 32
_ID_BYTES = 6
_FORM = re.compile(r"vk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A new key. `text` is shown once and kept nowhere."""

    id: str
    text: str

    @property
    def prefix(self) -> str:
        """Return the beginning by which its holder recognises the key."""
        return f"vk_{self.id}"


def new_key_text() -> KeyText:
    key_id = secrets.token_hex(_ID_BYTES)
    return KeyText(key_id, f"vk_{key_id}_{secrets.token_urlsafe(_RANDOM_BYTES)}")


def id_in(text: str) -> str | None:
    """Return the id in the text of a key; None when the text has another form."""
    found = _FORM.fullmatch(text)
    return None if found is None else found[1]


def digest_of(text: str) -> str:
    """Return the SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
