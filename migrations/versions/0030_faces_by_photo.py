"""Faces are found by their photo: when one is enrolled again, its faces are there already.

Revision: 0030
After: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_INDEX = "ix_faces_collection_number_image_sha256"


def upgrade() -> None:
    op.create_index(_INDEX, "faces", ["collection_number", "image_sha256"])


def downgrade() -> None:
    op.drop_index(_INDEX, "faces")
