"""`vultus index`."""

from dataclasses import asdict

from app.cli.open_database import open_database
from app.cli.output import finish, print_line, show
from app.errors import InvalidRequest
from app.gallery.sync import spaces
from app.gallery.sync.snapshot_check import SnapshotCheck
from app.services.index_building import check_index


def verify(*, repair: bool, as_json: bool) -> None:
    """Compare the index files with the database, face by face."""

    def report(found: SnapshotCheck) -> None:
        show({**asdict(found), "agrees": found.agrees}, _text(found), as_json=as_json)

    with open_database(upgrade=False) as (settings, database):
        agreed = check_index(settings, database, repair=repair, report=report)
    finish(complete=agreed)


def renew_space(collection: str) -> None:
    """Have a collection's vectors in Milvus turned by another rotation. Raises InvalidRequest."""
    with open_database(upgrade=False) as (settings, database):
        if settings.index.milvus_uri is None:
            raise InvalidRequest(
                "vectors are rotated in Milvus alone, and VULTUS_INDEX__MILVUS_URI is not set"
            )
        if not spaces.renew_space(database, collection):
            raise InvalidRequest(f"collection {collection!r} is not encrypted; see encryption.md")
    print_line(f"{collection}: the server turns its vectors in Milvus from now on")


def _text(found: SnapshotCheck) -> str:
    if found.snapshot_revision is None and found.cause is None:
        state = "nothing is kept outside of the database"
    elif found.cause is not None:
        state = f"cannot be used: {found.cause}"
    elif found.agrees:
        state = "agrees"
    else:
        state = f"{found.missing} missing, {found.ghosts} too many, {found.different} different"
    end = "; built anew" if found.repaired else ""
    return f"{found.collection}: {found.faces} faces; {state}{end}"
