"""Findings of the doctor that a person has dismissed.

Revision: 0011
After: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dismissals",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("identity_number", _NUMBER, nullable=True),
        sa.Column("other_number", _NUMBER, nullable=True),
        sa.Column("face_number", _NUMBER, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_dismissals"),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.number"],
                name=f"fk_dismissals_{column}_{table}",
                ondelete="CASCADE",
            )
            for column, table in (
                ("collection_number", "collections"),
                ("identity_number", "identities"),
                ("other_number", "identities"),
                ("face_number", "faces"),
            )
        ),
        sa.UniqueConstraint(
            "identity_number", "other_number", name="uq_dismissals_identity_number_other_number"
        ),
        sa.UniqueConstraint("face_number", name="uq_dismissals_face_number"),
        sqlite_autoincrement=True,
    )
    for columns in (["collection_number", "number"], ["other_number"]):
        op.create_index(f"ix_dismissals_{'_'.join(columns)}", "dismissals", columns)


def downgrade() -> None:
    op.drop_table("dismissals")
