"""No samples of embeddings in PostgreSQL's statistics.

ANALYZE keeps some values of each column, and kept embeddings there after their people were erased,
or a gallery was encrypted. The planner has no use for them.

Revision: 0026
After: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("collection_keys", "wrapped"),
    ("crops", "sealed"),
    ("faces", "embedding"),
    ("person_keys", "wrapped"),
    ("second_embeddings", "embedding"),
    ("snapshot_keys", "wrapped"),
    ("spaces", "sealed"),
    ("unknown_crops", "sealed"),
    ("unknown_faces", "embedding"),
    ("unknown_group_keys", "wrapped"),
    ("unknown_groups", "centroid"),
)


def upgrade() -> None:
    _set(0)


def downgrade() -> None:
    _set(-1)


def _set(samples: int) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in _COLUMNS:
        # Given its type anew, a column loses the samples that were taken; no row is rewritten.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE bytea")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {samples}")
