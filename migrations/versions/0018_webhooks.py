"""Webhooks, and how far events are delivered.

Revision: 0018
After: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "event_targets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("stopped_because", sa.String(16), nullable=True),
        sa.Column("holder", sa.String(32), nullable=True),
        sa.Column("held_until", _MOMENT, nullable=True),
        sa.Column("paused_until", _MOMENT, nullable=True),
        sa.Column("failing_since", _MOMENT, nullable=True),
        sa.Column("delivered_count", _NUMBER, nullable=False),
        sa.Column("last_delivered_at", _MOMENT, nullable=True),
        sa.Column("missed_count", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_event_targets"),
    )
    op.create_table(
        "waiting_events",
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("position", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("subjects", _JSON, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("error", sa.String(256), nullable=True),
        sa.Column("dead_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["target"],
            ["event_targets.name"],
            name="fk_waiting_events_target_event_targets",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("target", "position", name="pk_waiting_events"),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(256), nullable=True),
        sa.ForeignKeyConstraint(
            ["target"],
            ["event_targets.name"],
            name="fk_delivery_attempts_target_event_targets",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_delivery_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_attempts_target_number", "delivery_attempts", ["target", "number"])
    op.create_table(
        "webhooks",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("collections", _JSON, nullable=True),
        sa.Column("types", _JSON, nullable=True),
        sa.Column("with_names", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(512), nullable=False),
        sa.Column("former_secret", sa.String(512), nullable=True),
        sa.Column("former_until", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["event_targets.name"],
            name="fk_webhooks_id_event_targets",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_webhooks"),
        sa.UniqueConstraint("id", name="uq_webhooks_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("webhooks")
    op.drop_table("delivery_attempts")
    op.drop_table("waiting_events")
    op.drop_table("event_targets")
