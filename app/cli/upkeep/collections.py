"""`vultus collections`. Only `create` loads a network: that of the new collection."""

import asyncio
import re
from dataclasses import asdict

import typer
from rich.table import Table

from app.cli.open_database import open_database
from app.cli.output import print_json, results, say
from app.cli.session import with_services
from app.gallery.records import Collection, Erasure
from app.gallery.service import Gallery
from app.gallery.store.collection_list import all_collections, collection_named
from app.gallery.value_types import COLLECTION_NAME
from app.observe.plain_text import plain
from app.recognition.types import ModelId
from app.services import Services
from app.services.index_building import build_sync


def list_(*, as_json: bool) -> None:
    """List the collections."""
    with open_database(upgrade=True) as (_, database):
        found = all_collections(database)
    if as_json:
        print_json({"collections": [_as_json(one) for one in found]})
        return
    table = Table("collection", "people", "faces", "embedder", "description")
    for one in found:
        counts = f"{one.identity_count:,}", f"{one.face_count:,}"
        table.add_row(one.name, *counts, one.embedder, one.description or "")
    results.print(table)


def create(*, name: str, description: str | None, as_json: bool) -> None:
    """Create a collection."""
    if re.fullmatch(COLLECTION_NAME, name) is None:
        raise typer.BadParameter("NAME: letters, digits, '.', '_' and '-'; at most 64")

    async def use(services: Services) -> Collection:
        return await asyncio.to_thread(services.gallery.create_collection, name, description)

    made = with_services(use)
    if as_json:
        print_json(_as_json(made))
    else:
        say(f"created {made.name}, of the embedder {made.embedder}")


def delete(*, name: str, yes: bool, as_json: bool) -> None:
    """Delete a collection with everybody in it."""
    with open_database(upgrade=True) as (settings, database):
        found = collection_named(database, name)
        if not yes:
            typer.confirm(
                f"Delete {plain(name)} with {found.identity_count:,} people and "
                f"{found.face_count:,} faces? There is no way back.",
                abort=True,
                err=True,
            )
        # The default collection is there again at once, for the same embedder.
        model = ModelId(found.embedder, found.digest, found.dimension)
        gallery = Gallery(database, build_sync(settings, database), model)
        receipt = gallery.delete_collection(name, compact=True)
    if as_json:
        print_json(_receipt_as_json(receipt))
        return
    unknown = (
        f", {receipt.unknown_face_count:,} unknown faces" if receipt.unknown_face_count else ""
    )
    say(f"deleted {name}: {receipt.identity_count:,} people, {receipt.face_count:,} faces{unknown}")


def _as_json(one: Collection) -> dict[str, object]:
    return {
        "name": one.name,
        "description": one.description,
        "embedder": one.embedder,
        "dimension": one.dimension,
        "identity_count": one.identity_count,
        "face_count": one.face_count,
        "revision": one.revision,
        "created_at": one.created_at.isoformat(),
    }


def _receipt_as_json(receipt: Erasure) -> dict[str, object]:
    ids = ("identity_ids", "face_ids")  # of a whole collection, they are counted
    return {key: value for key, value in asdict(receipt).items() if key not in ids}
