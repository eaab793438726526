"""Consents of people, and when the last one of a person ends.

Revision: 0020
After: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("identities", sa.Column("consent_until", _MOMENT, nullable=True))
    op.create_index("ix_identities_consent_until", "identities", ["consent_until"])
    op.create_table(
        "consents",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("identity_number", _NUMBER, nullable=False),
        sa.Column("purpose", sa.String(256), nullable=False),
        sa.Column("basis", sa.String(32), nullable=False),
        sa.Column("text_version", sa.String(256), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("withdrawn_by", sa.String(128), nullable=True),
        sa.ForeignKeyConstraint(
            ["identity_number"],
            ["identities.number"],
            name="fk_consents_identity_number_identities",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_consents"),
        sa.UniqueConstraint("id", name="uq_consents_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consents_identity_number_number", "consents", ["identity_number", "number"])
    op.create_index("ix_consents_collection_number", "consents", ["collection_number"])


def downgrade() -> None:
    op.drop_table("consents")
    op.drop_index("ix_identities_consent_until", "identities")
    op.drop_column("identities", "consent_until")
