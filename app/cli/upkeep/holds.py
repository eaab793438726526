"""`vultus hold`: legal holds, without networks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from rich.table import Column, Table

from app.api.schemas.hold import HoldAnswer, SetHoldBody
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.person import HoldBody
from app.cli.open_database import open_database
from app.cli.output import show
from app.gallery.people.holds import Holds
from app.gallery.store.collection_list import all_collections, collection_named
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store


class HeldPersonBody(Answer):
    """A line of `vultus hold list --json`."""

    collection: str
    identity_id: str
    external_id: str | None
    hold: HoldBody


class HeldPeopleBody(Answer):
    """All that `vultus hold list --json` prints."""

    held: list[HeldPersonBody]


def set_(person: str, reason: str, collection: str, *, as_json: bool) -> None:
    """Hold a person."""
    try:
        body = SetHoldBody(reason=reason)
    except ValidationError as error:
        raise typer.BadParameter(f"--reason: {error.errors()[0]['msg']}") from None
    with _opened() as (_, holds):
        found, hold = holds.set(collection, person, body.reason)
    answer = HoldAnswer(identity_id=found, hold=HoldBody.of(hold))
    show(answer, f"{found} is under a legal hold and is not erased", as_json=as_json)


def lift(person: str, collection: str, *, as_json: bool) -> None:
    """Lift the hold on a person."""
    with _opened() as (_, holds):
        found = holds.lift(collection, person)
    show(HoldAnswer(identity_id=found, hold=None), f"{found} is held no more", as_json=as_json)


def list_(collection: str | None, *, as_json: bool) -> None:
    """List who is held."""
    with _opened() as (database, holds):
        if collection is None:
            names = [one.name for one in all_collections(database) if one.held_count]
        else:
            names = [collection_named(database, collection).name]
        held = [
            HeldPersonBody.of(person, collection=name, identity_id=person.id)
            for name in names
            for person in holds.people(name)
        ]
    table = Table("collection", Column("person", no_wrap=True), "since", "by", "reason")
    for one in held:
        row: list[Any] = [one.collection, one.external_id or one.identity_id]
        table.add_row(*row, f"{one.hold.since:%Y-%m-%d}", one.hold.principal, one.hold.reason)
    show(HeldPeopleBody(held=held), table, as_json=as_json)


@contextmanager
def _opened() -> Iterator[tuple[Database, Holds]]:
    with open_database(upgrade=True) as (_, database):
        yield database, Holds(Store(database))
