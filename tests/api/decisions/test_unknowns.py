"""The inbox of unknowns around its edges: retention, and a database that fails while it keeps."""

import pytest
from fastapi.testclient import TestClient

from app.errors import DatabaseUnavailable
from app.gallery.unknowns.unknown_inbox import Unknowns
from tests.api.people import embedding, search
from tests.gallery.factories import eventually


def test_unknown_faces_are_swept_after_the_collections_retention_time(tight: TestClient) -> None:
    """The service keeps them for 30 days; these two collections otherwise."""
    for name, retention_s in (("briefly", 0.001), ("longer", 3_600)):
        tight.post("/v1/collections", json={"name": name}).raise_for_status()
        options = {"unknowns": {"keep": True, "retention_s": retention_s}}
        tight.patch(f"/v1/collections/{name}", json={"options": options}).raise_for_status()
        assert search(tight, name, embedding(1))["unknown_group_id"] is not None
    eventually(lambda: tight.get("/v1/collections/briefly/unknowns").json()["groups"] == [])
    (group,) = tight.get("/v1/collections/longer/unknowns").json()["groups"]
    assert group["seen_count"] == 1


def test_search_is_answered_when_its_face_cannot_be_kept(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"unknowns": {"keep": True}}
    client.patch(f"/v1/collections/{collection}", json={"options": options}).raise_for_status()

    def fail(*_: object, **__: object) -> list[str]:
        raise DatabaseUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(Unknowns, "keep", fail)
        found = search(client, collection, embedding(1))
        assert (found["status"], found["unknown_group_id"]) == ("unknown", None)
    assert search(client, collection, embedding(1))["unknown_group_id"] is not None
