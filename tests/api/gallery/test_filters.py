"""Who is searched: conditions on attributes, and lists of people."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, like, names, search

PROBE = embedding(0)
PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"site": "berlin", "floor": 3, "badge": True, "phone": "+49-30-4711"},
    "bob": {"site": "bern", "floor": 3.0, "badge": "true", "phone": "4711"},
    "eve": {"site": "Berlin", "floor": "3", "badge": False, "phone": "47110"},
    "max": {"site": "be%", "floor": -1, "phone": "", "tags": ["berlin"], "": "nameless"},
    "zoë": {"site": "zürich", "floor": 2.5, "note": "x" * 256, "phone": "☎4711"},
    "ann": {"site": "züri\U0010ffff", "note": "x" * 257},
    "new": {},
}


@pytest.fixture
def ids(client: TestClient, collection: str) -> dict[str, str]:
    """Of people who are all like the probe, each less than the one before."""
    made = enroll_all(
        client,
        collection,
        *(
            {"name": name, "attributes": has, "embeddings": [like(PROBE, 0.99 - place / 100)]}
            for place, (name, has) in enumerate(PEOPLE.items())
        ),
    )
    return dict(zip(PEOPLE, made, strict=True))


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({}, "ada bob eve max zoë ann new"),
        ({"site": "berlin"}, "ada"),
        ({"site": {"equals": "berlin"}}, "ada"),
        ({"site": {"in": ["berlin", "bern", "nowhere"]}}, "ada bob"),
        ({"site": {"prefix": "ber"}}, "ada bob"),
        ({"site": {"prefix": "be%"}}, "max"),
        ({"site": {"prefix": "z"}}, "zoë ann"),
        ({"site": {"prefix": "züri\U0010ffff"}}, "ann"),
        ({"site": {"suffix": "erlin"}}, "ada eve"),
        ({"site": {"suffix": "ürich"}}, "zoë"),
        ({"site": {"prefix": "be", "suffix": "n"}}, "ada bob"),
        ({"site": {"in": ["berlin", "Berlin"], "prefix": "B"}}, "eve"),
        ({"phone": {"suffix": "4711"}}, "ada bob zoë"),
        ({"phone": ""}, "max"),
        ({"": "nameless"}, "max"),
        ({"floor": 3}, "ada bob"),
        ({"floor": 3.0}, "ada bob"),
        ({"floor": "3"}, "eve"),
        ({"floor": {"in": [-1, 2.5]}}, "max zoë"),
        ({"floor": {"prefix": "3"}}, "eve"),
        ({"badge": True}, "ada"),
        ({"badge": "true"}, "bob"),
        ({"badge": {"equals": False}}, "eve"),
        ({"badge": 1}, ""),
        ({"tags": "berlin"}, ""),
        ({"note": {"prefix": "x"}}, "zoë"),
        ({"site": "berlin", "floor": 3}, "ada"),
        ({"site": "berlin", "floor": "3"}, ""),
        ({"nothing": "berlin"}, ""),
    ],
)
def test_conditions_find_exactly_whom_they_say(
    client: TestClient, collection: str, attributes: dict[str, Any], found: str
) -> None:
    answer = search(client, collection, PROBE, filter={"attributes": attributes}, top_k=10)
    assert names(answer) == found.split()
    assert _listed(client, collection, attributes=json.dumps(attributes)) == found.split()


def _listed(client: TestClient, collection: str, **query: str) -> list[str]:
    """Names of people, by pages of two."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(
            f"/v1/collections/{collection}/identities", params={**query, "limit": 2, **cursor}
        )
        assert page.status_code == 200, page.text
        found += [person["name"] for person in page.json()["identities"]]
        if page.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": page.json()["next_cursor"]}


@pytest.mark.usefixtures("ids")
def test_lists_combine_attributes_with_names(client: TestClient, collection: str) -> None:
    starts_with_be = json.dumps({"site": {"prefix": "be"}})
    assert _listed(client, collection, attributes=starts_with_be, q="BO") == ["bob"]
    assert _listed(client, collection, attributes=starts_with_be, name="eve") == []


@sqlite_only
@pytest.mark.parametrize(
    "attributes",
    ["site", "[]", '{"site": ["berlin"]}', '{"site": {"like": "x"}}', '{"site": null}', "{", ""],
)
def test_lists_refuse_attributes_that_are_no_filter(
    client: TestClient, collection: str, attributes: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    answer = client.get(url, params={"attributes": attributes})
    body = problem(answer, 422, "invalid_request")
    assert "attributes" in body["detail"]


def test_lists_find_who_expires_before_a_moment(client: TestClient, collection: str) -> None:
    enroll_all(
        client,
        collection,
        *(
            {"name": name, "expires_at": at, "embeddings": [embedding(place)]}
            for place, (name, at) in enumerate(
                [
                    ("soon", "2998-01-01T00:00:00Z"),
                    ("never", None),
                    ("late", "2999-06-01T00:00:00+02:00"),
                    ("sooner", "2997-01-01T00:00:00Z"),
                ]
            )
        ),
    )

    def before(moment: str) -> list[str]:
        return _listed(client, collection, expires_before=moment)

    assert before("2999-05-31T22:00:00Z") == ["soon", "sooner"]
    assert before("2999-05-31T22:00:01Z") == ["soon", "late", "sooner"]
    assert before("2997-01-01T01:00:00+02:00") == []
    url = f"/v1/collections/{collection}/identities"
    for wrong in ("tomorrow", "2999-01-01T00:00:00", "17"):
        problem(client.get(url, params={"expires_before": wrong}), 422, "invalid_request")


def test_lists_of_people_hold_nobody_else(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    for wanted, found in (
        ([ids["max"], ids["eve"], "0" * 32], ["eve", "max"]),
        ([ids["bob"]], ["bob"]),
        ([], []),
    ):
        assert names(search(client, collection, PROBE, filter={"identity_ids": wanted})) == found
    both = {"identity_ids": [ids["ada"], ids["eve"]], "attributes": {"site": {"prefix": "B"}}}
    assert names(search(client, collection, PROBE, filter=both)) == ["eve"]


def test_whoever_is_not_wanted_is_not_matched(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/identities/{ids['ada']}/faces"
    face = client.get(url).json()["faces"][0]["id"]
    for probe in ({"embedding": PROBE}, {"face_id": face}):
        only = {**probe, "filter": {"attributes": {"site": "bern"}}}
        answer = client.post(f"/v1/collections/{collection}/search", json=only).json()
        assert (answer["status"], answer["identity"]["name"]) == ("match", "bob")
        assert answer["similarity"] == answer["candidates"][0]["similarity"]
    nobody = search(client, collection, PROBE, filter={"attributes": {"site": "x"}})
    assert (nobody["status"], nobody["similarity"]) == ("unknown", None)


def test_changed_attributes_count_at_once(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/identities/{ids['ada']}"
    client.patch(url, json={"attributes": {"site": "bonn"}}).raise_for_status()
    for site, found in (("bonn", ["ada"]), ("berlin", [])):
        filtered = {"attributes": {"site": site}}
        assert names(search(client, collection, PROBE, filter=filtered)) == found
    client.patch(url, json={"name": "ada l."}).raise_for_status()
    assert names(search(client, collection, PROBE, filter={"attributes": {"site": "bonn"}})) == [
        "ada l."
    ]


@pytest.mark.usefixtures("ids")
def test_the_largest_filter_is_answered(client: TestClient, collection: str) -> None:
    many = {
        f"key-{key}": {"in": [f"{key}-{value}" for value in range(1_000)], "prefix": f"{key}"}
        for key in range(16)
    }
    everybody_else = [f"{number:032x}" for number in range(10_000)]
    wanted = {"attributes": many, "identity_ids": everybody_else}
    assert names(search(client, collection, PROBE, filter=wanted)) == []


@sqlite_only
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"attributes": {"a": {"endswith": "x"}}}, "filter.attributes.a.endswith"),
        ({"attributes": {"a": {"equals": 1, "in": [2]}}}, "filter.attributes.a"),
        ({"attributes": {"a": {}}}, "filter.attributes.a"),
        ({"attributes": {"a": None}}, "filter.attributes.a"),
        ({"attributes": {"a": [1]}}, "filter.attributes.a.equals"),
        ({"attributes": {"a": "x" * 257}}, "filter.attributes.a.equals"),
        ({"attributes": {"a": "\x00"}}, "filter.attributes.a.equals"),
        ({"attributes": {"a": {"in": []}}}, "filter.attributes.a.in"),
        ({"attributes": {"a": {"in": [{}]}}}, "filter.attributes.a.in.0"),
        ({"attributes": {"a": {"prefix": ""}}}, "filter.attributes.a.prefix"),
        ({"attributes": {"a": {"suffix": 4711}}}, "filter.attributes.a.suffix"),
        ({"attributes": {str(number): 1 for number in range(17)}}, "filter.attributes"),
        ({"attributs": {}}, "filter.attributs"),
        ({"identity_ids": ["a b"]}, "filter.identity_ids.0"),
        ({"identity_ids": "abc"}, "filter.identity_ids"),
        ({"terminal_id": "door"}, "filter.terminal_id"),
        ([], "filter"),
        ("no json", "filter"),
    ],
)
def test_wrong_filter_is_refused_and_its_field_named_once(
    client: TestClient, collection: str, wrong: object, field: str
) -> None:
    response = client.post(
        f"/v1/collections/{collection}/search", json={"embedding": PROBE, "filter": wrong}
    )
    (named,) = problem(response, 422, "invalid_request")["errors"]
    assert named["field"] == field


@sqlite_only
def test_infinite_numbers_and_broken_text_are_refused(client: TestClient, collection: str) -> None:
    for wrong in ('{"a": 1e999}', '{"a": NaN}', '{"a": "\\ud800"}', '{"\\ud800": 1}'):
        response = client.post(
            f"/v1/collections/{collection}/search",
            params={"filter": f'{{"attributes": {wrong}}}'},
            json={"embedding": PROBE},
        )
        assert problem(response, 422, "invalid_request")["errors"][0]["field"].startswith("filter")
