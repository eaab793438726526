"""Alembic's entry: on the connection handed over by the service, or on the configured database."""

from alembic import context
from sqlalchemy import Connection, text

from app.gallery.store.database import Database
from app.gallery.store.tables import Table
from app.settings import Settings

_LOCK_KEY = 0x76756C74  # any number that every process agrees on: "vult"


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        # On SQLite, too, whose transactions hold changes of tables if they are begun as ours are:
        # processes that start together upgrade one after the other, and one that dies leaves what
        # was there.
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
