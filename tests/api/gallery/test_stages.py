"""Some of the people are tried before others; the first stage with a match answers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.gallery.records import SearchResult
from app.gallery.search.gallery_search import GallerySearch
from app.gallery.search.nearest_people import PeopleQuery
from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, like, names, search
from tests.kit.default_network import MATCH

pytestmark = sqlite_only

PROBE = embedding(0)
UNLIKE, MORE_UNLIKE = MATCH - 0.05, MATCH - 0.15


def _site(name: str, **more: object) -> dict[str, Any]:
    return {"filter": {"attributes": {"site": name}}, **more}


@pytest.fixture(autouse=True)
def _people(client: TestClient, collection: str) -> None:
    """The later the letter, the less like the probe; c and d are below the default threshold."""
    enroll_all(
        client,
        collection,
        *(
            {"name": name, "attributes": {"site": site}, "embeddings": [like(PROBE, similarity)]}
            for name, site, similarity in (
                ("a", "north", 0.99),
                ("b", "south", 0.94),
                ("c", "east", UNLIKE),
                ("d", "west", MORE_UNLIKE),
            )
        ),
    )


@pytest.mark.parametrize(
    ("stages", "who", "matched_stage"),
    [
        ([_site("north"), _site("south")], "a", 0),
        ([_site("south"), _site("north")], "b", 0),
        ([_site("east"), _site("south"), _site("north")], "b", 1),
        ([_site("nowhere"), _site("east"), {}], "a", 2),
        ([_site("east", threshold=UNLIKE - 0.05), _site("south")], "c", 0),
        ([_site("south", threshold=0.98), _site("north", threshold=0.98)], "a", 1),
        ([_site("south", threshold=0.98), _site("east", threshold=0.0)], "c", 1),
        ([{}], "a", 0),
    ],
)
def test_first_stage_with_a_match_answers(
    client: TestClient, collection: str, stages: list[object], who: str, matched_stage: int
) -> None:
    found = search(client, collection, PROBE, stages=stages)
    assert (found["status"], found["identity"]["name"]) == ("match", who)
    assert found["matched_stage"] == matched_stage
    assert names(found)[0] == who
    assert found["similarity"] >= found["threshold"]


def test_later_stages_are_not_looked_at_once_there_is_a_match(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    find_once = GallerySearch.find

    def counted(search: GallerySearch, name: str, probes: Any, query: PeopleQuery) -> SearchResult:
        looked.append(query.wanted.conditions[0].one_of)
        return find_once(search, name, probes, query)

    monkeypatch.setattr(GallerySearch, "find", counted)
    search(client, collection, PROBE, stages=[_site("east"), _site("south"), _site("north")])
    assert looked == [("east",), ("south",)]


def test_candidates_and_threshold_are_those_of_the_stage_that_matched(
    client: TestClient, collection: str
) -> None:
    both = {"attributes": {"site": {"in": ["south", "east"]}}}
    stages = [{"filter": both, "threshold": 0.93}, {}]
    found = search(client, collection, PROBE, stages=stages)
    assert (names(found), found["threshold"]) == (["b", "c"], 0.93)


def test_unknown_in_every_stage_shows_the_last_one(client: TestClient, collection: str) -> None:
    stages = [_site("east"), _site("west", threshold=0.81)]
    found = search(client, collection, PROBE, stages=stages)
    assert (found["status"], found["identity"], found["matched_stage"]) == ("unknown", None, None)
    assert (names(found), found["threshold"]) == (["d"], 0.81)
    assert found["similarity"] == pytest.approx(MORE_UNLIKE, abs=1e-3)


def test_threshold_of_the_search_is_that_of_stages_without_one(
    client: TestClient, collection: str
) -> None:
    stages = [_site("west", threshold=0.85), _site("east")]
    lax = UNLIKE - 0.05
    found = search(client, collection, PROBE, stages=stages, threshold=lax)
    assert (found["identity"]["name"], found["matched_stage"], found["threshold"]) == ("c", 1, lax)


def test_search_without_stages_has_one(client: TestClient, collection: str) -> None:
    assert search(client, collection, PROBE)["matched_stage"] == 0
    assert search(client, collection, PROBE, threshold=1.0)["matched_stage"] is None


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filter": {}, "stages": [{}]}, "body"),
        ({"stages": []}, "stages"),
        ({"stages": [{}] * 11}, "stages"),
        ({"stages": {}}, "stages"),
        ({"stages": "[{]"}, "stages"),
        ({"stages": [{"treshold": 0.5}]}, "stages.0.treshold"),
        ({"stages": [{}, {"threshold": 1.5}]}, "stages.1.threshold"),
        ({"stages": [{"filter": None}]}, "stages.0.filter"),
        ({"stages": [_site("x"), {"filter": {"attributes": {"a": {"like": "b"}}}}]}, None),
    ],
)
def test_wrong_stages_are_refused_and_their_field_named(
    client: TestClient, collection: str, options: dict[str, Any], field: str | None
) -> None:
    response = client.post(
        f"/v1/collections/{collection}/search", json={"embedding": PROBE, **options}
    )
    (named,) = problem(response, 422, "invalid_request")["errors"]
    assert named["field"] == (field or "stages.1.filter.attributes.a.like")
