"""Thresholds: rates that are typed, what they need, and what was measured, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.api.people import JSON_LINES, embedding, lines
from tests.console.accessibility import require_accessible
from tests.console.conftest import NewPage
from tests.console.console_server import ConsoleServer

_PEOPLE = 60
_RATE = "Strangers, of whom one may be given a name"
_FIXED = "Fixed similarity of identify"


@pytest.fixture
def crowd(server: ConsoleServer, collection: str) -> str:
    """A collection with enough people to measure."""
    body = lines(*({"name": f"Person {n}", "embeddings": [embedding(n)]} for n in range(_PEOPLE)))
    url = f"/v1/collections/{collection}/identities:batch"
    server.client.post(url, content=body, headers=JSON_LINES).raise_for_status()
    assert server.client.get(f"/v1/collections/{collection}").json()["identity_count"] == _PEOPLE
    return collection


def _curve(server: ConsoleServer, collection: str, **query: Any) -> dict[str, Any]:
    answer = server.client.get(f"/v1/collections/{collection}/calibration/curve", params=query)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def _decisions(server: ConsoleServer, collection: str) -> dict[str, Any]:
    body = server.client.get(f"/v1/collections/{collection}").json()
    decisions: dict[str, Any] = body["options"]["decisions"]
    return decisions


def _needed(curve: dict[str, Any], people: int) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in curve["needed"] if row["people"] == people)
    return row


def _identify(page: Page) -> Locator:
    return page.get_by_role("group", name=re.compile("^Who is it"))


def test_rate_shows_what_it_needs_while_it_is_typed_and_is_saved_and_undone(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("thresholds", collection=collection))
    identify = _identify(page)
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    # Among few people, the default is what the service uses: never less than verify.
    in_use = _curve(server, collection, people=1)["in_use"]
    expect(identify).to_contain_text(f"needs a similarity of {in_use['identify']:.4f}")
    page.get_by_label("Number of people", exact=True).fill("2000")
    for one_in in (10, 1_000):
        page.get_by_label(_RATE).fill(str(one_in))
        row = _needed(_curve(server, collection, target_fpir=1 / one_in, people=2_000), 2_000)
        expect(identify).to_contain_text(f"needs a similarity of {row['threshold']:.4f}")
        # What was not measured is called an estimate.
        expect(identify).to_contain_text("Not measured" if row["extrapolated"] else "Measured:")
    assert _decisions(server, collection)["target_fpir"] is None

    save.click()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    assert _decisions(server, collection)["target_fpir"] == pytest.approx(0.001)
    page.get_by_role("button", name="Undo (").click()
    expect(page.get_by_label("As the service").first).to_be_checked()
    assert _decisions(server, collection)["target_fpir"] is None


def test_fixed_similarity_shows_its_price(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("thresholds", collection=collection))
    identify = _identify(page)
    page.get_by_label("Number of people", exact=True).fill("50")
    page.get_by_label(_FIXED).fill("0.3")
    at = _curve(server, collection, people=50, similarity=0.3)["at"]
    one_in = f"{1 / at['fpir']['value']:.2g}"
    expect(identify).to_contain_text(f"a stranger is given a name: 1 in {one_in}")
    page.get_by_label("Fixed similarity of verify").fill("0.42")
    page.get_by_label("Fixed difference of similarities").fill("0.01")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    decisions = _decisions(server, collection)
    assert decisions["identify_threshold"] == 0.3
    assert (decisions["verify_threshold"], decisions["margin"]) == (0.42, 0.01)

    page.get_by_label(_FIXED).fill("3")
    page.get_by_role("link", name="Privacy").click()
    page.get_by_role("dialog", name="Leave this page?").get_by_role("button", name="Stay").click()
    expect(page.get_by_label(_FIXED)).to_have_value("3")
    expect(identify).to_contain_text("Type a similarity from -1 to 1.")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_label(_FIXED)).to_have_value("0.3")


def test_rate_that_no_measurement_supports_is_not_claimed(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("thresholds", collection=collection))
    page.get_by_label(_RATE).fill("1e14")
    identify = _identify(page)
    expect(identify).to_contain_text("The measurements support no such rate")
    expect(identify).not_to_contain_text("needs a similarity")
    plot = page.get_by_role("img", name=re.compile("^The similarity that"))
    expect(plot.locator(".plot-line").first).to_have_attribute("d", "")
    expect(plot.locator(".plot-line.beyond")).to_have_attribute("d", "")


def test_plots_end_their_solid_line_where_the_data_end_and_have_tables(
    new_page: NewPage, server: ConsoleServer, collection: str
) -> None:
    page = new_page(viewport={"width": 320, "height": 800}, color_scheme="dark")
    page.goto(server.at("thresholds", collection=collection))
    plot = page.get_by_role("img", name="How often two strangers are at least this alike")
    expect(plot.locator(".plot-line.beyond")).to_have_attribute("d", re.compile("L"))
    curve = _curve(server, collection)
    dashed = plot.locator(".plot-line.beyond").get_attribute("d") or ""
    solid = plot.locator(".plot-line").first.get_attribute("d") or ""
    assert solid.rsplit("L", 1)[1] == dashed.split("L", 1)[0].removeprefix("M")  # they meet

    page.get_by_text("As a table").first.click()
    table = page.get_by_role("table", name="How often two strangers are at least this alike")
    rows = table.get_by_role("row").filter(has=page.get_by_role("rowheader"))
    measured = rows.filter(has_text="measured")
    for row in measured.get_by_role("rowheader").all_inner_texts():
        assert float(row) <= curve["data_ends"] + 5e-5
    estimated = rows.filter(has_text="estimated")
    for row in estimated.get_by_role("rowheader").all_inner_texts():
        assert float(row) >= curve["data_ends"] - 5e-5
    assert measured.count() > 0
    assert estimated.count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    require_accessible(page)


def test_too_few_people_are_refused_in_the_services_words(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("thresholds", collection=collection))
    expect(page.get_by_text("takes 50 people at least; 0 are enrolled")).to_be_visible()
    page.get_by_role("button", name="Measure on these people").click()
    expect(page.get_by_role("alert")).to_contain_text("0 people are too few to measure")
    expect(page.get_by_role("alert")).to_contain_text("calibration_impossible")


@pytest.fixture
def slow_measuring(page: Page) -> Iterator[list[Route]]:
    """Requests to measure, held until the test lets them go on."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    page.route("**/calibration", hold)
    yield held
    page.unroute("**/calibration")


def test_collection_is_measured_and_goes_back_to_the_embedders_measurements(
    page: Page, server: ConsoleServer, crowd: str, slow_measuring: list[Route]
) -> None:
    page.goto(server.at("thresholds", collection=crowd))
    page.get_by_role("button", name="Measure on these people").click()
    expect(page.get_by_role("progressbar", name="Measuring")).to_be_visible()
    slow_measuring.pop().continue_()
    expect(page.get_by_text(f"Measured on {_PEOPLE} people of this collection")).to_be_visible()
    assert _curve(server, crowd)["own"]
    pairs = _PEOPLE * (_PEOPLE - 1) // 2
    expect(page.get_by_text(f"Different people: {pairs:,} pairs")).to_be_visible()
    expect(page.get_by_role("img", name="How alike photos are")).to_be_visible()

    page.get_by_label("Show the curves of").select_option("embedder")
    expect(page.get_by_text("The measurements of ")).to_be_visible()
    page.get_by_label("Show the curves of").select_option("collection")
    expect(page.get_by_text("The measurements of ")).to_be_hidden()
    page.get_by_role("button", name=re.compile("^Back to the embedder")).click()
    expect(page.get_by_text("The measurements of ")).to_be_visible()
    assert not _curve(server, crowd)["own"]
    require_accessible(page)


def test_embedder_that_was_not_measured_can_have_fixed_similarities(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    detail = "the error rates of this collection's embedder were not measured"
    problem = {"status": 422, "code": "threshold_required", "detail": detail}
    page.route("**/calibration/curve**", lambda route: route.fulfill(status=422, json=problem))
    page.goto(server.at("thresholds", collection=collection))
    expect(page.get_by_role("alert")).to_contain_text(detail)
    page.get_by_label(_FIXED).fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("All is saved.")).to_be_visible()
    assert _decisions(server, collection)["identify_threshold"] == 0.5
