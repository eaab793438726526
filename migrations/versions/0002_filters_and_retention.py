"""Attributes for filters, expiry, terminals, pruning of the log, external indexes.

Revision: 0002
After: 0001
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_PEOPLE_AT_ONCE = 1_000


def _exact(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.number"],
        name=f"fk_{table}_{column}_{target}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    # Columns are added in place: a batch on SQLite copies the table and drops the old one, and the
    # drop would cascade to all enrolled people.
    op.add_column(
        "collections", sa.Column("log_start", _NUMBER, nullable=False, server_default="0")
    )
    op.add_column("identities", sa.Column("expires_at", _MOMENT, nullable=True))
    op.create_index("ix_identities_expires_at", "identities", ["expires_at"])
    attributes = op.create_table(
        "attributes",
        sa.Column("identity_number", _NUMBER, nullable=False),
        sa.Column("key", _exact(128), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("value", _exact(258), nullable=False),
        sa.Column("reversed", _exact(256), nullable=True),
        sa.PrimaryKeyConstraint("identity_number", "key", name="pk_attributes"),
        _reference("attributes", "identity_number", "identities"),
    )
    for column in ("value", "reversed"):
        op.create_index(
            f"ix_attributes_collection_number_key_{column}",
            "attributes",
            ["collection_number", "key", column],
        )
    op.create_table(
        "terminal_matches",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("terminal_id", sa.String(64), nullable=False),
        sa.Column("identity_number", _NUMBER, nullable=False),
        sa.Column("matched_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "collection_number", "terminal_id", "identity_number", name="pk_terminal_matches"
        ),
        _reference("terminal_matches", "collection_number", "collections"),
        _reference("terminal_matches", "identity_number", "identities"),
    )
    op.create_index(
        "ix_terminal_matches_collection_number_terminal_id_matched_at",
        "terminal_matches",
        ["collection_number", "terminal_id", "matched_at"],
    )
    op.create_index("ix_terminal_matches_identity_number", "terminal_matches", ["identity_number"])
    op.create_table(
        "index_positions",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("store", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("revision", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("collection_number", "store", name="pk_index_positions"),
        _reference("index_positions", "collection_number", "collections"),
    )
    _fill(attributes)


def downgrade() -> None:
    op.drop_table("index_positions")
    op.drop_table("terminal_matches")
    op.drop_table("attributes")
    op.drop_index("ix_identities_expires_at", "identities")
    op.drop_column("identities", "expires_at")
    op.drop_column("collections", "log_start")


def _fill(attributes: sa.Table) -> None:
    """Write the filterable attributes of the people enrolled so far."""
    connection = op.get_bind()
    people = sa.text(
        "SELECT number, collection_number, attributes FROM identities"
        " WHERE number > :after ORDER BY number LIMIT :most"
    )
    after = 0
    while rows := connection.execute(people, {"after": after, "most": _PEOPLE_AT_ONCE}).all():
        after = rows[-1].number
        found = [
            {
                "identity_number": row.number,
                "collection_number": row.collection_number,
                "key": key,
                "value": value,
                "reversed": value[:1:-1] if value.startswith("s:") else None,
            }
            for row in rows
            for key, value in _filterable(row.attributes).items()
        ]
        if found:
            connection.execute(sa.insert(attributes), found)


def _filterable(attributes: str | dict[str, object]) -> dict[str, str]:
    # The form of the service at the time of this migration; later versions may write another one.
    parsed = json.loads(attributes) if isinstance(attributes, str) else attributes
    return {
        key: value
        for key, raw in parsed.items()
        if len(key) <= 128 and (value := _encode(raw)) is not None
    }


def _encode(value: object) -> str | None:
    if isinstance(value, bool):
        return "b:true" if value else "b:false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int | float):
        text = f"n:{value!r}"
    elif isinstance(value, str):
        text = f"s:{value}"
    else:
        return None
    return text if len(text) <= 258 else None
