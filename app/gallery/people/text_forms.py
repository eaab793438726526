"""Forms of names and keys: the one that is stored, and the one that a search by prefix compares."""

import unicodedata

MAX_NAME_LENGTH = 256
"""Characters of a name or an external_id, in NFC."""

FOLDED_LENGTH = 256
"""Characters of a folded text that are stored, and so compared."""

_WITHOUT_MARKS = str.maketrans(
    {
        "æ": "ae",
        "ð": "d",
        "ø": "o",
        "þ": "th",
        "đ": "d",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ł": "l",
        "ŋ": "n",
        "œ": "oe",
        "ŧ": "t",
    }
)
"""Letters of Latin alphabets that Unicode does not decompose into a plain letter and a mark."""


def nfc(text: str) -> str:
    """Unicode's composed form (NFC): an accented letter is one code point where there is one.

    The same name reaches the service in either form, depending on the sender's system.
    """
    return unicodedata.normalize("NFC", text)


def caseless(text: str) -> str:
    """A text without case: "MÜLLER" and "Müller" are the same, "muller" is another one.

    Unicode's canonical caseless matching (The Unicode Standard, 3.13, D145).
    """
    return nfc(unicodedata.normalize("NFD", text).casefold())


def folded(text: str) -> str:
    """A text without case, accents and variants of width, as a search by prefix compares it.

    "MÜLLER", "Müller" and "muller" are the same, and so are "Straße" and "strasse". At most
    FOLDED_LENGTH characters. No folded text has a character with a mark of its own (category Mn).
    """
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_WITHOUT_MARKS)
    plain = (
        character
        for character in unicodedata.normalize("NFKD", decomposed)
        if unicodedata.category(character) != "Mn"
    )
    return "".join(plain)[:FOLDED_LENGTH]
