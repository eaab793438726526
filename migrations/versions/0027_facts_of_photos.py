"""What is kept of the photo of a face: its size, and what the caller called it.

Revision: 0027
After: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("faces", sa.Column("image_width", sa.Integer()))
    op.add_column("faces", sa.Column("image_height", sa.Integer()))
    op.add_column("faces", sa.Column("image_label", sa.String(256)))


def downgrade() -> None:
    for name in ("image_label", "image_height", "image_width"):
        op.drop_column("faces", name)
