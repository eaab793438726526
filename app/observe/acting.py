"""The actor of what happens now: a caller of the API, a user of the command line, or the service.

It travels in a context variable, so that the audit log names the actor without a parameter in each
function: threads for calls that block copy the context (see `app/runtime/threads.py`).
"""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from app.observe.address_names import name_of_address

NO_KEY = "none"
"""The principal of requests to a service without keys, and of those without a valid one."""


@dataclass(slots=True)
class Actor:
    """`principal` names a key (never a part of it), a user of the command line, or the service.

    A request begins with the principal `NO_KEY`; who checks its key names the caller.
    """

    principal: str
    request_id: str | None = None
    address: str | None = None
    rights: Container[str] | None = None
    """What the actor may do; None: everything."""
    sees_exact_similarities: bool = True
    """Whether no similarity is withheld; see `app/operations/policy/disclosure.py`."""


_SERVICE = Actor("service")

_actor: ContextVar[Actor] = ContextVar("actor", default=_SERVICE)


def actor() -> Actor:
    """Return the actor; outside of requests and commands it is the service itself."""
    return _actor.get()


@contextmanager
def acting(who: Actor) -> Iterator[Actor]:
    """Have `who` be the actor of the block."""
    token = _actor.set(who)
    try:
        yield who
    finally:
        _actor.reset(token)


def caller() -> str:
    """Name who sends the request: a key, or where there is none an address, as limits do."""
    who = _actor.get()
    if who.principal == NO_KEY:
        return "address unknown" if who.address is None else name_of_address(who.address)
    return f"key {who.principal}"


def act_as(who: Actor) -> None:
    """Have `who` be the actor from now on; for a process that does one thing, as a command."""
    _actor.set(who)


def name_caller(principal: str | None, rights: Container[str] | None = None) -> None:
    """Name the caller of the request that is being answered, once their key was checked."""
    who = _actor.get()
    if who is not _SERVICE and principal is not None:
        who.principal = principal
        who.rights = rights


def may(right: str) -> bool:
    """Return whether the actor has a right. The service and the command line have all."""
    rights = _actor.get().rights
    return rights is None or right in rights


def show_exact_similarities() -> None:
    """Withhold no similarity from the caller of the request that is being answered."""
    who = _actor.get()
    if who is not _SERVICE:
        who.sees_exact_similarities = True


def sees_exact_similarities() -> bool:
    """Return whether no similarity is withheld from the actor."""
    return _actor.get().sees_exact_similarities
