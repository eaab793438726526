"""Parameters of routes, as Annotated aliases."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import BeforeValidator
from starlette.convertors import StringConvertor, register_url_convertor

from app.api.edge.callers import Caller, caller_in
from app.api.edge.identity_paths import decoded
from app.api.edge.search_quota import SearchQuota
from app.api.schemas.parts.field_types import CollectionName, IdentityRef, RecordId
from app.operations.policy.decisions import Decision
from app.services import Services


def services_of(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


# Dependencies are coroutines although they wait for nothing: FastAPI hands plain functions over to
# worker threads, one by one, which takes longer than the rest of a request's way through it. Nor do
# those that every request has depend on others: it looks each of them up again.


async def _services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]


async def _caller(request: Request) -> Caller:
    return caller_in(request.scope)


CallerDep = Annotated[Caller, Depends(_caller)]


async def _request_id(request: Request) -> str:
    request_id: str = request.state.request_id
    return request_id


RequestIdDep = Annotated[str, Depends(_request_id)]


class CountedSearches:
    """Counts what is found for the caller of a request; see `SearchQuota`."""

    def __init__(self, request: Request) -> None:
        quota = request.app.state.search_quota
        assert isinstance(quota, SearchQuota)
        self._quota = quota
        # Without keys all callers count as one: an address is no proof of who asks. A program of
        # this machine has 16 million of them, and may name any other in X-Forwarded-For.
        principal = caller_in(request.scope).principal
        self._caller = "callers without a key" if principal is None else f"key {principal}"

    def require(self) -> None:
        """Raises TooManySearches."""
        self._quota.require(self._caller)

    def count(self, decision: Decision) -> None:
        """Raises TooManySearches."""
        self._quota.count(self._caller, decision)

    def count_people(self, identity_ids: Sequence[str]) -> None:
        """Raises TooManySearches."""
        self._quota.count_people(self._caller, identity_ids)


async def _counted_searches(request: Request) -> CountedSearches:
    return CountedSearches(request)


CountedSearchesDep = Annotated[CountedSearches, Depends(_counted_searches)]
CollectionPath = Annotated[CollectionName, Path()]
IdentityPath = Annotated[IdentityRef, BeforeValidator(decoded), Path()]
FacePath = Annotated[RecordId, Path()]
ConsentPath = Annotated[RecordId, Path()]
GroupPath = Annotated[RecordId, Path()]

BEFORE_COLON = "before_colon"
"""Name of the convertor for an id before a verb: else ID:verb would be taken for an id by the
routes without a verb."""


NO_EXPORT = "no_export"
"""Name of the convertor for a person's reference that is not followed by the verb `:export`. It may
have other colons, as in `ext:KEY`."""


class _NoExport(StringConvertor):
    regex = "(?:(?!:export$)[^/])+"


class _BeforeColon(StringConvertor):
    regex = "[^/:]+"


register_url_convertor(BEFORE_COLON, _BeforeColon())
register_url_convertor(NO_EXPORT, _NoExport())
