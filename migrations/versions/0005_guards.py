"""Faces that were enrolled by force, and answers that are kept for repeated requests.

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    # In place: a batch on SQLite copies the table and drops the old one, with all people in it.
    op.add_column(
        "faces", sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(256), nullable=False),
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=True),
        sa.Column("identity_id", sa.String(32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key_sha256", name="pk_idempotency_keys"),
    )
    for column in ("collection_number", "identity_id", "created_at"):
        op.create_index(f"ix_idempotency_keys_{column}", "idempotency_keys", [column])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_column("faces", "forced")
