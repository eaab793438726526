"""The migration of the database's schema, and the newest one that this version has."""

import re
from functools import cache
from importlib.resources import as_file, files
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from app.errors import StartupError

_TABLE: Final = "alembic_version"
_FILE_NAME: Final = re.compile(r"(\d{4})_.+\.py")


@cache
def newest_migration() -> str:
    """The newest migration of this version: its files are numbered in their order."""
    names = (entry.name for entry in files("migrations").joinpath("versions").iterdir())
    return max(found.group(1) for name in names if (found := _FILE_NAME.fullmatch(name)))


def migration_of(connection: Connection) -> str | None:
    """The migration that the schema is at; None for a database without one."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608
    return None if found is None else str(found)


def upgrade(connection: Connection) -> None:
    """Run the migrations that the schema lacks. Raises StartupError where it is a later one."""
    # Imported here, as most starts find the newest schema.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    with as_file(files("migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StartupError(
                f"the database was made by another version of Vultus ({error}); install that "
                "version"
            ) from error
