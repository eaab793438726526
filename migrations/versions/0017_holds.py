"""Legal holds: people whom neither a request nor a retention period erases.

Revision: 0017
After: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("principal", sa.String(128), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity_number", name="pk_holds"),
        sa.ForeignKeyConstraint(
            ["identity_number"],
            ["identities.number"],
            name="fk_holds_identity_number_identities",
        ),
    )
    op.create_index(
        "ix_holds_collection_number_identity_number",
        "holds",
        ["collection_number", "identity_number"],
    )


def downgrade() -> None:
    op.drop_table("holds")
