"""`vultus compact`. It loads no network."""

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.remains import RemainsBody
from app.cli.open_database import open_database
from app.cli.output import show
from app.gallery.store.collection_list import numbers_of
from app.gallery.store.postgresql_rewriting import LARGE_BYTES
from app.gallery.store.remains import Remains, is_compacted, left_in_index
from app.services.index_building import build_sync


class CompactedBody(Answer):
    """All that `vultus compact --json` prints."""

    compacted: bool
    remains: list[RemainsBody]


def compact(*, full: bool, as_json: bool) -> None:
    """Rewrite what files hold of all that was erased until now, and print what remains."""
    with open_database(upgrade=True) as (settings, database):
        sync = build_sync(settings, database)
        numbers = numbers_of(database)
        in_index: list[Remains] = []
        for number in numbers:
            found = sync.remains(number)
            reached_all = sync.erase(number) or database.dialect == "sqlite"
            in_index += left_in_index(found, reached_all=reached_all)
        in_database = database.compact(most_bytes=None if full else LARGE_BYTES)
        remains = [*dict.fromkeys(in_index), *in_database]
        sync.close()
    bodies = [RemainsBody.of(one) for one in remains]
    done = is_compacted(remains)
    text = (
        "nothing of what was erased is left in the files of the service and of its database"
        if done
        else "some of what was erased may still be found in files"
    )
    show(CompactedBody(compacted=done, remains=bodies), text, *map(_text, bodies), as_json=as_json)


def _text(one: RemainsBody) -> str:
    facts = "" if one.detail is None else f" ({one.detail})"
    until = "" if one.until is None else f", by {one.until:%Y-%m-%d %H:%M} UTC"
    return f"- {one.where}{facts}: {one.what} It ends {one.ends}{until}. Remedy: {one.remedy}."
