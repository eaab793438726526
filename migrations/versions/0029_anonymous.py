"""People who are anonymous: it is only known that their faces are of one person.

Revision: 0029
After: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_INDEX = "ix_identities_collection_number_anonymous_number"


def upgrade() -> None:
    op.add_column(
        "identities",
        sa.Column("anonymous", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(_INDEX, "identities", ["collection_number", "anonymous", "number"])


def downgrade() -> None:
    op.drop_index(_INDEX, "identities")
    op.drop_column("identities", "anonymous")
