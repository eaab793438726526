"""The moment up to which the system clock is believed by the sweep.

Revision: 0024
After: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_clock",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("running_s", sa.Float(), nullable=False),
        sa.Column("boot_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_trusted_clock"),
    )


def downgrade() -> None:
    op.drop_table("trusted_clock")
