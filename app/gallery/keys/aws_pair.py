"""A pair that signs requests as AWS's SDKs do (Signature Version 4)."""

import secrets
import string
from base64 import b64encode
from dataclasses import dataclass, field

_ID_PREFIX = "AKIA"
_ID_LETTERS = string.ascii_uppercase + "234567"
_ID_RANDOM = 16
_SECRET_BYTES = 30  # 40 characters in base64, without padding


@dataclass(frozen=True, slots=True)
class AwsPair:
    """An access key id and its secret, as AWS's tools ask for them."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def new_pair() -> AwsPair:
    """Make a pair: 20 and 40 characters, the latter of 240 random bits."""
    access_key_id = _ID_PREFIX + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_RANDOM))
    return AwsPair(access_key_id, b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii"))
