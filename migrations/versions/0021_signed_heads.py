"""Signed heads: how far the chains of the audit log are signed.

Revision: 0021
After: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "signed_heads",
        sa.Column("chain", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("start", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_signed_heads"),
    )


def downgrade() -> None:
    op.drop_table("signed_heads")
