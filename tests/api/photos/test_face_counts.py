"""An answer that leaves faces of a photo out says so."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import image, problem
from tests.cases import case

CROWD = case("crowd-135.jpg")
"""135 faces; the server's limit is 100."""


def crowd() -> dict[str, tuple[str, bytes]]:
    return {"image": ("crowd.jpg", CROWD)}


@pytest.mark.parametrize(("path", "used"), [("detect", 135), ("embed", 100), ("quality", 100)])
def test_answer_counts_the_faces_found_and_those_used(
    client: TestClient, path: str, used: int
) -> None:
    body = client.post(f"/v1/{path}", files=crowd()).json()
    assert (body["faces_found"], body["faces_used"]) == (135, used)
    assert len(body["faces"]) == used


@pytest.mark.parametrize(("options", "used"), [({}, 100), ({"max_faces": "3"}, 3)])
def test_identify_counts_the_faces_found_and_those_looked_up(
    client: TestClient, collection: str, options: dict[str, str], used: int
) -> None:
    url = f"/v1/collections/{collection}/identify"
    body = client.post(url, files=crowd(), data=options).json()
    assert (body["faces_found"], body["faces_used"], len(body["faces"])) == (135, used, used)


@pytest.mark.parametrize("path", ["detect", "embed", "quality"])
@pytest.mark.parametrize(("photo", "count"), [("coffee", 0), ("group", 2)])
def test_counts_agree_where_nothing_is_left_out(
    client: TestClient, path: str, photo: str, count: int
) -> None:
    body = client.post(f"/v1/{path}", files=image(photo)).json()
    assert (body["faces_found"], body["faces_used"]) == (count, count)


@pytest.mark.parametrize("batch", ["", ":batch"])
def test_more_faces_than_the_server_allows_are_refused_with_the_limit(
    client: TestClient, collection: str, batch: str
) -> None:
    url = f"/v1/collections/{collection}/identify{batch}"
    files = image("coffee", "images" if batch else "image")
    most = client.get("/v1/info").json()["limits"]["max_faces"]
    body = problem(
        client.post(url, files=files, data={"max_faces": str(most + 1)}), 422, "invalid_request"
    )
    (error,) = body["errors"]
    assert error["field"] == "max_faces"
    assert str(most) in error["message"]
    assert client.post(url, files=files, data={"max_faces": str(most)}).status_code == 200
