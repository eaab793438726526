"""Routes, one file a resource."""

from fastapi import APIRouter, Depends

from app.api.deps import require_key
from app.api.edge.request_log import API_PREFIX
from app.api.edge.timeout import require_sane_timeout
from app.api.problems import documented
from app.api.routes import (
    batch,
    calibration,
    collections,
    corrections,
    doctor,
    faces,
    identify,
    identities,
    many,
    photos,
    system,
    unknowns,
    verify,
)
from app.api.schemas.collections import NewCollectionBody, PatchCollectionBody
from app.api.schemas.embed import ImagesBody
from app.api.schemas.faces import AddFacesBody, MoveFaceBody
from app.api.schemas.identify import IdentifyBody, IdentifyImagesBody
from app.api.schemas.identities import DeletePeopleBody, EnrollBody, MergeBody, PatchIdentityBody
from app.api.schemas.identities_batch import BatchItemBody, BatchResultBody
from app.api.schemas.parts.photo_faces import ImageBody
from app.api.schemas.search import SearchBody
from app.api.schemas.unknowns import MergeUnknownsBody, NameUnknownBody, SplitUnknownBody
from app.api.schemas.verify import VerifyBody

api_router = APIRouter(
    prefix=API_PREFIX,
    dependencies=[Depends(require_key), Depends(require_sane_timeout)],
    responses=documented(400, 401, 408, 422, 431, 429, 500, 503, 504),
)
# The most asked first: routes are tried in this order.
for _module in (
    identify,
    verify,
    photos,
    collections,
    calibration,
    identities,
    batch,
    corrections,
    faces,
    many,
    unknowns,
    doctor,
    system,
):
    api_router.include_router(_module.router)

REQUEST_BODIES = (
    NewCollectionBody,
    PatchCollectionBody,
    EnrollBody,
    AddFacesBody,
    PatchIdentityBody,
    MergeBody,
    MoveFaceBody,
    DeletePeopleBody,
    IdentifyBody,
    SearchBody,
    VerifyBody,
    ImageBody,
    IdentifyImagesBody,
    ImagesBody,
    BatchItemBody,
    BatchResultBody,
    NameUnknownBody,
    MergeUnknownsBody,
    SplitUnknownBody,
)
"""Schemas of the bodies that routes read by themselves."""

operations_router = system.operations_router

__all__ = ["REQUEST_BODIES", "api_router", "operations_router"]
