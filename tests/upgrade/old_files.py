"""Files that version 0.1.0 wrote, and what it answered for them.

All are in `tests/cases`, made from two photos in the public domain that are there as well:

- `gallery-0.1.0.db.gz`: a database.
- `data-folder-0.1.0.zip`: a data folder of a service that kept index snapshots and crops
  (`VULTUS_INDEX__SNAPSHOT_ABOVE=1`, `VULTUS_CROPS_KEY` as `CROPS_KEY`).
- `archive-0.1.0.zip`: what `vultus export` wrote of its collection `staff`.
- `settings-0.1.0.env`: every setting.
"""

from typing import Any

from fastapi.testclient import TestClient

from tests.cases import case

CROPS_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PEOPLE = [
    {
        "id": "d5864b71b25545f9b8b93f85618f7179",
        "external_id": "emp-1",
        "name": "Eileen Collins",
        "attributes": {"department": "research", "floor": 3},
        "face_count": 1,
        "created_at": "2026-11-30T07:50:30.488924Z",
        "expires_at": "2099-01-01T00:00:00Z",
        "threshold": 0.95,
    },
    {
        "id": "acfe6b5e7e864383bef3197fb35f58fa",
        "external_id": "emp-2",
        "name": "Grace Hopper",
        "attributes": {},
        "face_count": 1,
        "created_at": "2026-11-30T07:50:31.399511Z",
        "expires_at": None,
        "threshold": None,
    },
]
"""The people of `staff`, but for `updated_at` and `revision`, which an import sets anew."""
DECISIONS = {"target_fmr": 0.0001, "target_fpir": 0.001, "margin": 0.004}
UNKNOWNS = {"keep": True, "retention_s": 604800.0}
SIMILARITIES = {"Eileen Collins": 1.0, "Grace Hopper": 0.88351}
"""Similarity of `eileen.jpg`, with MTCNN and ONNX Runtime."""
NOISE = 1e-4


def people_of(client: TestClient, collection: str) -> list[dict[str, Any]]:
    """The people of a collection, with the fields that `PEOPLE` has."""
    answer = client.get(f"/v1/collections/{collection}/identities").json()
    return [{field: one[field] for field in PEOPLE[0]} for one in answer["identities"]]


def similarities_of_eileen(client: TestClient, collection: str) -> dict[str, float]:
    """The similarity of each candidate to the face of `eileen.jpg`."""
    answer = client.post(
        f"/v1/collections/{collection}/identify", files={"image": case("eileen.jpg")}
    )
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    return {one["name"]: one["similarity"] for one in face["candidates"]}
