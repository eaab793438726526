"""The quality of each enrolled face.

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In place: see 0002.
    op.add_column("faces", sa.Column("quality", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("faces", "quality")
