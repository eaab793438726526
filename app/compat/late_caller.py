"""Callers who are known only when the body is read: its key, or the signature over it."""

from fastapi import Request

from app.api.edge.authentication import entrance_of
from app.api.edge.caller_limits import CallerLimits
from app.api.edge.callers import Caller, Callers, limited_by, own_rate
from app.errors import AccessDenied, NotReady


def callers_of(request: Request) -> Callers:
    """Return what finds the callers of keys."""
    callers = request.app.state.callers
    assert isinstance(callers, Callers)
    return callers


def let_in(request: Request, key: str) -> Caller:
    """Find and note the caller of a key in the body; see `let_caller_in`.

    Raises AccessDenied, NotReady and RateLimited.
    """
    try:
        caller = callers_of(request).identify(key)
    except (AccessDenied, NotReady) as error:
        entrance_of(request.scope).note(request.scope, error)
        raise
    let_caller_in(request, caller)
    return caller


def let_caller_in(request: Request, caller: Caller) -> None:
    """Note who sends a request, as if its headers had said so.

    Its log lines, the audit log and `caller_in` name the caller. Until now the request counted for
    its address; now it counts for the key. Raises RateLimited.
    """
    before = limited_by(request.scope)
    entrance_of(request.scope).note(request.scope, caller)
    name, rate = limited_by(request.scope), own_rate(request.scope)
    limits = request.app.state.caller_limits
    assert isinstance(limits, CallerLimits)
    if name != before and limits.are_for(rate):
        limits.count(name, rate)
