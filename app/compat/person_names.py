"""Names by which other APIs address people. They have one name where Vultus has three fields.

A person's name here is their `external_id`; without one their name, and without a name their id.
People who are made through such an API have it as `external_id` and as name. All functions that
search block.
"""

from typing import Protocol

from app.errors import IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.people.text_forms import nfc
from app.gallery.records import Identity, IdentityFilter

_MOST_NAMESAKES = 100


class Labelled(Protocol):
    """A person, or what lists name of them."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def external_id(self) -> str | None: ...


def name_of(person: Labelled) -> str:
    """Return the name of a person in other APIs."""
    return person.external_id or person.name or person.id


def is_unicode(text: str) -> bool:
    """Return whether a text is one: without surrogates, as bytes of another encoding become."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def find_exactly(gallery: Gallery, collection: str, name: str) -> list[Identity]:
    """Find the people who have this name in other APIs, spelt like this; mostly one or none.

    Several people without an `external_id` may have the same name. Oldest first.
    """
    found = [
        *_page(gallery, collection, IdentityFilter(external_id=name)),
        *_page(gallery, collection, IdentityFilter(name=name)),
        *_nameless(gallery, collection, name),
    ]
    wanted = nfc(name)
    return list({person.id: person for person in found if name_of(person) == wanted}.values())


def find_any_case(gallery: Gallery, collection: str, name: str) -> list[Identity]:
    """Find the people whose `external_id` is this name, whatever the case; if there are none, those
    who are called so, whatever their `external_id`. Those who are spelt like this win over others.
    """
    wanted = nfc(name)
    people = _page(gallery, collection, IdentityFilter(external_id=name, any_case=True))
    if people:
        return [person for person in people if person.external_id == wanted] or people
    people = _page(gallery, collection, IdentityFilter(name=name, any_case=True))
    if people:
        return [person for person in people if person.name == wanted] or people
    return _nameless(gallery, collection, name)


def _page(gallery: Gallery, collection: str, wanted: IdentityFilter) -> list[Identity]:
    page = gallery.people.page(collection, wanted, limit=_MOST_NAMESAKES, cursor=None)
    return list(page.items)


def _nameless(gallery: Gallery, collection: str, identity_id: str) -> list[Identity]:
    """Find a person who has neither an external_id nor a name, and is known, by their id."""
    if not identity_id.isalnum():
        return []
    try:
        person = gallery.people.get(collection, identity_id)
    except IdentityNotFound:
        return []
    return [person] if name_of(person) == identity_id and not person.anonymous else []
