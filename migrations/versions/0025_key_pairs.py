"""Keys with a rate of their own, and with a pair for AWS's SDKs.

Revision: 0025
After: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_INDEX = "ix_api_keys_aws_access_key_id"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("requests_per_min", sa.Float(), nullable=True))
    op.add_column("api_keys", sa.Column("aws_access_key_id", sa.String(20), nullable=True))
    op.add_column("api_keys", sa.Column("aws_secret_sealed", sa.String(256), nullable=True))
    op.create_index(_INDEX, "api_keys", ["aws_access_key_id"], unique=True)


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="api_keys")
    op.drop_column("api_keys", "aws_secret_sealed")
    op.drop_column("api_keys", "aws_access_key_id")
    op.drop_column("api_keys", "requests_per_min")
