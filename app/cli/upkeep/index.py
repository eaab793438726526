"""`vultus index`."""

from dataclasses import asdict
from time import monotonic

from app.cli.open_database import open_database
from app.cli.output import finish, print_line, show
from app.cli.progress_report import progress_report
from app.errors import InvalidRequest
from app.gallery.store.collection_list import all_collections
from app.gallery.sync import spaces
from app.gallery.sync.snapshot_check import SnapshotCheck
from app.services.index_building import check_index, rebuild_in_milvus


def verify(*, repair: bool, as_json: bool) -> None:
    """Compare the index files with the database, face by face."""

    def report(found: SnapshotCheck) -> None:
        show({**asdict(found), "agrees": found.agrees}, _text(found), as_json=as_json)

    with open_database(upgrade=False) as (settings, database):
        agreed = check_index(settings, database, repair=repair, report=report)
    finish(complete=agreed)


def rebuild(collection: str | None, *, anew: bool, as_json: bool) -> None:
    """Fill Milvus from the database, beside servers that run. Raises StartupError without one."""
    with open_database(upgrade=False) as (settings, database):
        names = (
            [collection]
            if collection is not None
            else [one.name for one in all_collections(database)]
        )
        started = monotonic()
        with progress_report() as report:
            sent = rebuild_in_milvus(settings, database, names, anew=anew, report=report)
        took_s = monotonic() - started
    for name, faces in sent.items():
        show({"collection": name, "sent_faces": faces}, _sent(name, faces), as_json=as_json)
    if not as_json and (total := sum(sent.values())):
        print_line(f"{total:,} faces in {took_s:.1f} s, {total / took_s:,.0f} a second")


def _sent(name: str, faces: int) -> str:
    return f"{name}: {faces:,} faces were sent" if faces else f"{name}: Milvus has its faces"


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
