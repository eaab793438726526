"""Keys under which rows are sealed.

Revision: 0016
After: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("collections", sa.Column("key_generation", sa.Integer(), nullable=True))
    for crops in ("crops", "unknown_crops"):
        form = sa.Column("form", sa.Integer(), server_default="0", nullable=False)
        op.add_column(crops, form)
    op.create_table(
        "collection_keys",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("master_id", sa.String(16), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_collection_keys_collection_number_collections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_number", "generation", name="pk_collection_keys"),
    )
    _add_keys_of("person_keys", "identity_number", "identities")
    _add_keys_of("unknown_group_keys", "group_number", "unknown_groups")


def downgrade() -> None:
    sealed = op.get_bind().scalar(sa.text("SELECT count(*) FROM collection_keys"))
    if sealed:
        raise RuntimeError("the database is encrypted, and would be lost without its keys")
    for table in ("unknown_group_keys", "person_keys", "collection_keys"):
        op.drop_table(table)
    for crops in ("unknown_crops", "crops"):
        op.drop_column(crops, "form")
    op.drop_column("collections", "key_generation")


def _add_keys_of(name: str, owner: str, owners: str) -> None:
    op.create_table(
        name,
        sa.Column(owner, _NUMBER, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            [owner], [f"{owners}.number"], name=f"fk_{name}_{owner}_{owners}", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(owner, name=f"pk_{name}"),
    )
    op.create_index(
        f"ix_{name}_collection_number_generation", name, ["collection_number", "generation"]
    )
