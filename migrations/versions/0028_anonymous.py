"""People who are anonymous: it is only known that their faces are of one person.

Revision: 0028
After: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
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
