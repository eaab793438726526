"""Alembic's entry: migrate the connection of the service, or the configured database."""

from alembic import context
from sqlalchemy import Connection, text

from app.gallery.store.database import Database
from app.gallery.store.tables import Table
from app.settings import Settings

_LOCK_KEY = 0x76756C74  # the same number in every process: "vult"


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        # On SQLite, too: its transactions contain changes of tables if they begin as ours do. So
        # processes that start together upgrade one after the other, and a process that dies leaves
        # the database unchanged.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Several processes that start together migrate one after the other.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _migrate(handed_over)
else:
    settings = Settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    with database.engine.connect() as own:
        _migrate(own)
    database.close()
