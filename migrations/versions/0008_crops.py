"""Encrypted crops of enrolled faces, for collections that keep them.

Revision: 0008
After: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crops",
        sa.Column("face_number", _NUMBER, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("face_number", name="pk_crops"),
        sa.ForeignKeyConstraint(
            ["face_number"],
            ["faces.number"],
            name="fk_crops_face_number_faces",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_crops_collection_number", "crops", ["collection_number"])


def downgrade() -> None:
    op.drop_table("crops")
