"""`vultus collections`. Only `create` loads a network: that of the new collection."""

import asyncio
import re

import typer
from rich.table import Table

from app.api.schemas.collections import CollectionBody, CollectionPage
from app.api.schemas.parts.erasure import ErasureBody
from app.cli.open_database import open_database
from app.cli.output import show
from app.cli.session import with_services
from app.gallery.gallery import Gallery
from app.gallery.records import Page
from app.gallery.store.collection_list import all_collections, collection_named
from app.gallery.value_types import COLLECTION_NAME
from app.observe.plain_text import plain
from app.services.index_building import build_sync


def list_(*, as_json: bool) -> None:
    """List the collections."""
    with open_database(upgrade=True) as (_, database):
        found = all_collections(database)
    table = Table("collection", "people", "faces", "embedder", "description")
    for one in found:
        counts = f"{one.identity_count:,}", f"{one.face_count:,}"
        table.add_row(one.name, *counts, one.model.name, one.description or "")
    show(CollectionPage.of(Page(tuple(found), None)), table, as_json=as_json)


def create(name: str, description: str | None, *, as_json: bool) -> None:
    """Create a collection."""
    require_collection_name(name, "NAME")
    made = with_services(
        lambda services: asyncio.to_thread(services.gallery.collections.create, name, description)
    )
    text = f"created {made.name}, of the embedder {made.model.name}"
    show(CollectionBody.of(made), text, as_json=as_json)


def delete(name: str, *, yes: bool, as_json: bool) -> None:
    """Delete a collection with all people in it."""
    with open_database(upgrade=True) as (settings, database):
        found = collection_named(database, name)
        if not yes:
            typer.confirm(
                f"Delete {plain(name)} with {found.people_count:,} people and "
                f"{found.face_count:,} faces? There is no way back.",
                abort=True,
                err=True,
            )
        # The default collection exists again at once, for the same embedder.
        gallery = Gallery(database, build_sync(settings, database), found.model)
        receipt = gallery.collections.delete(name, compact=True)
    text = f"deleted {name}: {receipt.identity_count:,} people, {receipt.face_count:,} faces"
    if receipt.unknown_face_count:
        text += f", {receipt.unknown_face_count:,} unknown faces"
    show(ErasureBody.of(receipt), text, as_json=as_json)


def require_collection_name(name: str, argument: str) -> None:
    """Refuse what is not the name of a collection, before anything is opened."""
    if re.fullmatch(COLLECTION_NAME, name) is None:
        raise typer.BadParameter(f"{argument}: letters, digits, '.', '_' and '-'; at most 255")
