"""By its clock, when an index outside of the process had taken what its position says.

Revision: 0031
After: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("index_positions", sa.Column("timestamp", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("index_positions", "timestamp")
