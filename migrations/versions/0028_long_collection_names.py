"""Names of collections of up to 255 characters.

SQLite checks no lengths, so nothing changes there. The way back fails while there are longer names
than 64 characters, in collections or in the audit log.

Revision: 0028
After: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_COLUMNS = (("collections", "name"), ("audit_lines", "collection"))


def upgrade() -> None:
    _set(255)


def downgrade() -> None:
    _set(64)


def _set(length: int) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in _COLUMNS:
        op.alter_column(table, column, type_=sa.String(length))
