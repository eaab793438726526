"""Histograms of the similarities that a collection's calibration was measured on.

Revision: 0012
After: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OBJECT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("calibrations", sa.Column("histograms", _OBJECT, nullable=True))


def downgrade() -> None:
    op.drop_column("calibrations", "histograms")
