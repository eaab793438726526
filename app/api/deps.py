"""What routes ask for, as Annotated aliases."""

import secrets
from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyHeader

from app.api.schemas.fields import CollectionName, RecordId
from app.api.schemas.gallery import ModelBody
from app.errors import AccessDenied
from app.services import Services

_api_key = APIKeyHeader(
    name="x-api-key", auto_error=False, description="Wanted when VULTUS_API_KEYS is set."
)


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


ServicesDep = Annotated[Services, Depends(_services)]


def require_key(services: ServicesDep, key: Annotated[str | None, Security(_api_key)]) -> None:
    """Raises AccessDenied unless the key is one of the settings', or they have none."""
    allowed = services.settings.api_keys
    if not allowed:
        return
    sent = (key or "").encode("utf-8")
    # Every key is compared in full, so that the time taken tells nothing.
    matches = [secrets.compare_digest(sent, k.get_secret_value().encode("utf-8")) for k in allowed]
    if not any(matches):
        raise AccessDenied("send a valid key in the x-api-key header")


def _model(services: ServicesDep) -> ModelBody:
    model = services.recognizer.model
    return ModelBody(name=model.name, digest=model.digest)


ModelDep = Annotated[ModelBody, Depends(_model)]
CollectionPath = Annotated[CollectionName, Path()]
IdentityPath = Annotated[RecordId, Path()]
FacePath = Annotated[RecordId, Path()]
GroupPath = Annotated[RecordId, Path()]
