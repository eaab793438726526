"""The audit log: its lines, and the heads of their chains.

Revision: 0013
After: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_lines",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("chain", _NUMBER, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("collection", sa.String(64), nullable=True),
        sa.Column("identity_id", sa.String(32), nullable=True),
        sa.Column("receipt_id", sa.String(32), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_lines"),
        sa.UniqueConstraint("chain", "sequence", name="uq_audit_lines_chain_sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_lines_at", "audit_lines", ["at"])
    for column in ("identity_id", "receipt_id"):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_audit_lines_{column}",
            "audit_lines",
            [column],
            sqlite_where=there,
            postgresql_where=there,
        )
    op.create_table(
        "audit_heads",
        sa.Column("chain", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("pruned_sequence", _NUMBER, server_default="0", nullable=False),
        sa.Column("pruned_mac", sa.String(64), nullable=True),
        sa.Column("pruned_key_id", sa.String(16), nullable=True),
        sa.Column("pruned_seal", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_heads"),
    )


def downgrade() -> None:
    op.drop_table("audit_heads")
    op.drop_table("audit_lines")
