"""Routes that are called past FastAPI answer as FastAPI's own do."""

import pytest
from starlette.routing import Match

from app.api.described_routes import application_of_routes
from app.api.routes import DIRECT_ROUTES

IDENTIFY = "/v1/collections/default/identify"


def matching(path: str, **scope: object) -> list[str]:
    asked = {"type": "http", "method": "POST", "path": path, "headers": [], **scope}
    return [route.path_format for route in DIRECT_ROUTES if route.matches(asked)[0] is Match.FULL]


def test_each_direct_route_is_one_that_the_api_documents() -> None:
    documented = application_of_routes().openapi()["paths"]
    assert [route for route in DIRECT_ROUTES if "post" not in documented[route.path_format]] == []
    assert "/v1/collections/{collection}/identify" in {one.path_format for one in DIRECT_ROUTES}


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (IDENTIFY, {"method": "GET"}),
        (IDENTIFY + "/", {}),
        ("/v1/collections/a%20b/identify", {}),  # no name of a collection
        (IDENTIFY, {"headers": [(b"x-request-timeout-ms", b"soon")]}),
    ],
)
def test_what_is_not_plain_is_left_to_fastapi(path: str, scope: dict[str, object]) -> None:
    assert matching(path, **scope) == []
    assert matching(IDENTIFY) == ["/v1/collections/{collection}/identify"]


def test_a_path_below_a_prefix_is_found() -> None:
    below = matching("/faces" + IDENTIFY, root_path="/faces")
    assert below == ["/v1/collections/{collection}/identify"]
