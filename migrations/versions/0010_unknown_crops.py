"""Encrypted crops of unknown faces, for collections that keep them.

Revision: 0010
After: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "unknown_crops",
        sa.Column("face_number", _NUMBER, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("face_number", name="pk_unknown_crops"),
        sa.ForeignKeyConstraint(
            ["face_number"],
            ["unknown_faces.number"],
            name="fk_unknown_crops_face_number_unknown_faces",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_unknown_crops_collection_number", "unknown_crops", ["collection_number"])


def downgrade() -> None:
    op.drop_table("unknown_crops")
