"""An application of the routes alone, which describes itself; `app/main.py` adds the services."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI

from app import __version__
from app.api import problems
from app.api.routes import DIRECT_ROUTES, REQUEST_BODIES, api_router, operations_router

_DESCRIPTION = """
Self-hosted face recognition: enroll people, remove them, verify two faces (1:1) and identify one
face among all enrolled (1:N), with an honest *unknown*.

Images arrive as multipart files, as base64 in JSON, or as the whole body. `box` is
`[x1, y1, x2, y2]` in pixels of the upright image; `similarity` is the cosine, -1 to 1. Every error
is `application/problem+json` with a stable `code`.
"""
_TAGS = {
    "recognition": "Find, compare and identify the faces of photos.",
    "collections": "Collections hold people and do not see each other. Each has options and error "
    "rates of its own.",
    "identities": "The people of a collection: enroll, find, change, merge and delete them.",
    "faces": "The enrolled examples of a person.",
    "unknowns": "Faces that matched no enrolled person, in groups, where a collection keeps them.",
    "keys": "API keys: who may do what, in which collections.",
    "webhooks": "Events, sent to other systems as signed messages.",
    "system": "What runs, how it is doing, and its metrics.",
}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]


def application_of_routes(lifespan: Lifespan | None = None) -> FastAPI:
    """The application, without services and middleware."""
    app = FastAPI(
        title="Vultus",
        version=__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        lifespan=lifespan,
        redirect_slashes=False,  # `misses` knows more spellings, and what a proxy puts before them
        openapi_url=None,  # `documents` answers it, with a page of our own
    )
    problems.install(app, REQUEST_BODIES)
    app.router.routes += DIRECT_ROUTES
    app.include_router(api_router)
    app.include_router(operations_router)
    return app
