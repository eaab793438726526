"""Names and keys in one Unicode form, searched by prefix; the last revision of each person.

Revision: 0009
After: 0008
"""

import unicodedata
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EXACT = sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql")
_LENGTH = 256
_FOLDED = ("external_id_folded", "name_folded")
_ROWS_AT_ONCE = 1_000
_PLAIN = str.maketrans(
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

_log = structlog.get_logger(__name__)


def upgrade() -> None:
    for column in _FOLDED:
        op.add_column("identities", sa.Column(column, _EXACT, nullable=True))
    op.add_column("identities", sa.Column("revision", _NUMBER, nullable=False, server_default="0"))
    # Earlier reads of these people had a lower revision.
    op.execute(
        "UPDATE identities SET revision = (SELECT collections.revision FROM collections"
        " WHERE collections.number = identities.collection_number)"
    )
    _compose_names()
    for column in _FOLDED:
        op.create_index(
            f"ix_identities_collection_number_{column}",
            "identities",
            ["collection_number", column],
        )


def downgrade() -> None:
    for column in reversed(_FOLDED):
        op.drop_index(f"ix_identities_collection_number_{column}", "identities")
    op.drop_column("identities", "revision")
    for column in reversed(_FOLDED):
        op.drop_column("identities", column)


def _compose_names() -> None:
    """Convert names and external_ids to NFC, and write their folded forms."""
    connection = op.get_bind()
    update = sa.text(
        "UPDATE identities SET name = :name, external_id = :external_id,"
        " name_folded = :name_folded, external_id_folded = :external_id_folded"
        " WHERE number = :number"
    )
    for rows in _pages("identities", "number, id, collection_number, name, external_id"):
        changed = []
        for row in rows:
            name, external_id = _nfc(row.name), _nfc(row.external_id)
            if external_id != row.external_id:
                external_id = _free(row, external_id)
            values = {
                "number": row.number,
                "name": name,
                "external_id": external_id,
                "name_folded": _folded(name),
                "external_id_folded": _folded(external_id),
            }
            if external_id != row.external_id:  # at once: the next person may need the same key
                connection.execute(update, values)
            elif name is not None or external_id is not None:
                changed.append(values)
        if changed:
            connection.execute(update, changed)


def _free(row: sa.Row[tuple[object, ...]], wanted: str | None) -> str | None:
    """Return the key of a person: `wanted`, or a similar one if another person has it.

    Two keys that differ only in their Unicode form look alike, and after the conversion one of them
    could no longer be searched.
    """
    query = sa.text(
        "SELECT 1 FROM identities WHERE collection_number = :collection AND external_id = :key"
    )
    count, key = 1, wanted
    while op.get_bind().execute(query, {"collection": row.collection_number, "key": key}).first():
        count += 1
        mark = f"~{count}"
        key = f"{(wanted or '')[: _LENGTH - len(mark)]}{mark}"
    if key != wanted:
        _log.warning(
            "external_id_changed",
            identity_id=row.id,
            cause="another identity of the collection has the same key in another Unicode form",
            remedy=f"the key now ends in {key[-len(mark) :] if key else ''}; change it, or delete "
            "one of the two",
        )
    return key


def _pages(table: str, columns: str) -> Iterator[Sequence[sa.Row[tuple[object, ...]]]]:
    """Yield all rows by number, in blocks."""
    query = sa.text(
        f"SELECT {columns} FROM {table}"  # noqa: S608  (constants)
        " WHERE number > :after ORDER BY number LIMIT :most"
    )
    after = 0
    while rows := op.get_bind().execute(query, {"after": after, "most": _ROWS_AT_ONCE}).all():
        after = rows[-1].number
        yield rows


# The form of the service at the time of this migration; later versions may write another one.


def _nfc(text: str | None) -> str | None:
    """Return the text in NFC, or unchanged if its NFC form is too long for the column."""
    composed = None if text is None else unicodedata.normalize("NFC", text)
    return composed if composed is None or len(composed) <= _LENGTH else text


def _folded(text: str | None) -> str | None:
    if text is None:
        return None
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    plain = unicodedata.normalize("NFKD", decomposed)
    return "".join(c for c in plain if unicodedata.category(c) != "Mn")[:_LENGTH]
