"""Text of others as text: what could steer a terminal is shown instead of sent.

Names, file names, keys and error texts may hold any character. Control characters and escape
sequences move the cursor or rename the window; marks of direction and invisible characters make one
name look like another.
"""

import json
import re
import unicodedata
from functools import lru_cache

_HARMLESS = re.compile(r"[\x20-\x7e\u00a1-\u00ac\u00ae-\u05ff]*")
_INVISIBLE = {
    *(chr(code) for code in (0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF)),
    *map(chr, range(0x202A, 0x202F)),  # embeddings and overrides of direction
    *map(chr, range(0x2060, 0x2070)),  # isolates of direction, invisible operators
    *map(chr, range(0xFFF9, 0xFFFC)),  # annotations
    *map(chr, range(0xE0000, 0xE0080)),  # tags
}


def plain(text: str) -> str:
    """The text with unprintable characters shown as Python writes them: ESC as \\x1b.

    Letters of all scripts, emoji and their joiners stay as they are. The result has one line.
    """
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(map(_shown, text))


def plain_json(value: object) -> str:
    """One line of JSON, with the same characters written as JSON escapes: the value is the same."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(
        character if _is_printable(character) else json.dumps(character)[1:-1] for character in text
    )


def _shown(character: str) -> str:
    if _is_printable(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=4096)
def _is_printable(character: str) -> bool:
    if character in _INVISIBLE:
        return False
    # Control, surrogate, line and paragraph separators. Other formats (Cf) join letters and emoji.
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
