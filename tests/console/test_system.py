"""System: load, collections, models and the key, in a real browser."""

import json
import re
from itertools import cycle

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from app.services.delivery.webhooks.webhook_service import WebhookService
from app.settings import WebhookSettings
from tests.console.accessibility import require_accessible
from tests.console.conftest import NewPage, Serve
from tests.console.console_server import ConsoleServer
from tests.kit.photos import astronaut, hopper
from tests.kit.webhook_receiver import receiving

_COLLECTIONS = "system?tab=collections"


def _card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def _route(page: Page, name: str) -> Locator:
    named = page.get_by_role("rowheader", name=name, exact=True)
    return page.get_by_role("row").filter(has=named)


def test_load_shows_routes_in_the_order_that_is_chosen(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    assert server.client.get("/v1/collections/nowhere").status_code == 404
    page.goto(server.at("system", collection=collection))
    routes = _card(page, "Routes")
    expect(_route(page, "GET /v1/collections/{collection}")).to_contain_text("404")

    routes.get_by_role("button", name="Route").click()
    expect(routes.get_by_role("columnheader", name="Route")).to_have_attribute(
        "aria-sort", "ascending"
    )
    names = routes.get_by_role("rowheader").all_inner_texts()
    assert names == page.evaluate("(all) => all.toSorted((a, b) => a.localeCompare(b))", names)
    page.reload()  # the order is in the address
    expect(routes.get_by_role("columnheader", name="Route")).to_have_attribute(
        "aria-sort", "ascending"
    )
    require_accessible(page)


def test_route_is_a_request_to_take_along(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    server.enroll(collection, astronaut(), name="Eileen")
    page.goto(server.at("system?since=start", collection=collection))
    row = _route(page, "POST /v1/collections/{collection}/identities")
    row.get_by_role("button", name="As a request").click()
    command = page.get_by_role("dialog").get_by_label("curl", exact=True)
    expect(command).to_contain_text(f"/v1/collections/{collection}/identities")
    expect(command).to_contain_text('images=@"photo.jpg"')


def test_load_keeps_processes_apart_and_asks_only_while_it_is_seen(
    page: Page, server: ConsoleServer
) -> None:
    page.clock.install()
    answers = cycle([(4711, 3), (4712, 5)])
    asked: list[int] = []

    def answer(route: Route) -> None:
        pid, pending = next(answers)
        asked.append(pid)
        stats = route.fetch().json()
        stats["queue"]["photos_pending"] = pending
        route.fulfill(body=json.dumps({**stats, "pid": pid}), content_type="application/json")

    page.route("**/v1/stats", answer)
    page.goto(server.at("system"))
    expect(page.get_by_text("Process 4711")).to_be_visible()
    page.clock.fast_forward(2_000)
    process = page.get_by_label("Process", exact=True)
    expect(process.get_by_role("option")).to_have_count(2)

    queue = page.get_by_role("listitem").filter(has_text="Photos in the queue")
    expect(queue).to_contain_text("3")  # it stays at the process that is shown
    process.select_option("4712")
    expect(queue).to_contain_text("5")

    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("region", name="Detectors")).to_be_visible()
    before = len(asked)
    page.clock.fast_forward(10_000)
    assert len(asked) == before


def test_models_show_what_runs_its_licence_and_that_nothing_is_rolled_out(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    models = server.client.get("/v1/models").json()["models"]
    active = next(model for model in models if model["active"])
    page.goto(server.at("system?tab=models", collection=collection))
    row = _card(page, "Embedders").get_by_role("row").filter(has_text="runs here")
    expect(row).to_contain_text(active["name"])
    expect(row).to_contain_text(active["license"])
    expect(_card(page, f"Embedder of {collection}")).to_contain_text("No other embedder")
    require_accessible(page)


def test_rollout_shows_how_far_it_is_and_what_hinders_it(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    sface, dlib = ({"name": name, "digest": "0" * 64} for name in ("sface", "dlib-resnet"))
    rollout = {
        "state": "embedding",
        "serving": dlib,
        "from_embedder": dlib,
        "to_embedder": sface,
        "faces": 1_577,
        "done": 1_200,
        "missing": 377,
        "missing_before": 0,
        "finished": False,
        "switched_at": None,
        "revision": 41,
        "obstacles": [{"code": "lacking_second", "detail": "377 faces have no embedding"}],
    }
    page.route("**/rollout", lambda route: route.fulfill(json=rollout))
    page.goto(server.at("system?tab=models", collection=collection))
    card = _card(page, f"Embedder of {collection}")
    expect(card.get_by_role("progressbar")).to_have_attribute("value", "1200")
    expect(card).to_contain_text("1,200 of 1,577 faces embedded by sface")
    expect(card).to_contain_text("377 faces have no embedding lacking_second")


def test_key_shows_its_name_and_rights_and_never_itself(page: Page, serve: Serve) -> None:
    key = "a-key-that-nobody-sees"
    server = serve(api_keys=[key])
    page.goto(server.at("system?tab=service"))
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Continue").click()
    card = _card(page, "This key")
    expect(card).to_contain_text("key 1")
    expect(card).to_contain_text("enroll people")
    expect(page.locator("body")).not_to_contain_text(key)
    expect(_card(page, "Limits")).to_contain_text("50 MB")
    link = page.get_by_role("link", name="API documentation")
    assert link.get_attribute("href") == "../docs"
    require_accessible(page)


def test_collection_is_created_changed_and_changed_back(page: Page, server: ConsoleServer) -> None:
    name = server.new_collection() + "-made"
    page.goto(server.at(f"{_COLLECTIONS}&q={name}"))  # on a page of its own, however many there are
    page.get_by_role("button", name="Create a collection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("default")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("collection_exists")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Description").fill("Door 3")
    require_accessible(page)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_be_hidden()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Door 3")

    page.get_by_role("button", name=f"Options of {name}").click()
    dialog.get_by_label("Keep faces that are answered").check()
    dialog.get_by_label("For how many days").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("unknown faces")
    options = server.client.get(f"/v1/collections/{name}").json()["options"]
    assert (options["unknowns"]["keep"], options["unknowns"]["retention_s"]) == (True, 7 * 86_400)

    page.get_by_role("button", name="Undo (").click()
    expect(row).to_contain_text("nothing")
    options = server.client.get(f"/v1/collections/{name}").json()["options"]
    assert (options["unknowns"]["keep"], options["unknowns"]["retention_s"]) == (False, None)


def test_crops_without_a_key_are_refused_in_words(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at(f"{_COLLECTIONS}&q={collection}", collection=collection))
    page.get_by_role("button", name=f"Options of {collection}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Keep encrypted crops of faces").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("VULTUS_CROPS_KEY")
    expect(dialog.get_by_label("Keep encrypted crops of faces")).to_be_checked()


def test_collection_is_deleted_by_typing_how_many_people_are_in_it(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    for number, photo in enumerate((astronaut(), hopper())):
        server.enroll(collection, photo, name=f"Person {number}")
    page.goto(server.at(f"{_COLLECTIONS}&q={collection}", collection=collection))
    page.get_by_role("button", name=f"Delete {collection}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    erase = dialog.get_by_role("button", name=re.compile(f"{collection}$"))
    expect(erase).to_be_disabled()
    dialog.get_by_role("textbox").fill("2")
    erase.click()
    expect(dialog.get_by_role("table").first).to_contain_text("2 people")  # the receipt
    dialog.get_by_role("button", name="Close").last.click()
    expect(page).to_have_url(server.at(_COLLECTIONS, collection="default"))
    assert server.client.get(f"/v1/collections/{collection}").status_code == 404


@pytest.fixture(scope="module")
def many(server: ConsoleServer) -> list[str]:
    """More collections than the menu shows at once."""
    names = [f"door-{number:03}" for number in range(60)]
    for name in names:
        server.client.post("/v1/collections", json={"name": name}).raise_for_status()
    return names


def test_menu_finds_one_of_many_collections(
    page: Page, server: ConsoleServer, many: list[str]
) -> None:
    page.goto(server.at("people"))
    page.get_by_role("button", name="Collection: default").click()
    field = page.get_by_role("searchbox", name="Find a collection")
    expect(page.get_by_text("The first 50 are shown")).to_be_visible()
    field.fill("DOOR-05")
    expect(page.get_by_role("link", name=re.compile(r"^door-"))).to_have_count(10)
    field.fill(many[-1])
    expect(page.get_by_role("link", name=re.compile(r"^door-"))).to_have_count(1)
    field.press("Enter")
    expect(page).to_have_url(server.at("people", collection=many[-1]))
    expect(page.get_by_role("button", name=f"Collection: {many[-1]}")).to_be_visible()


def test_list_of_many_collections_has_pages(
    new_page: NewPage, server: ConsoleServer, many: list[str]
) -> None:
    page = new_page(viewport={"width": 320, "height": 800})
    page.goto(server.at(f"{_COLLECTIONS}&q=door"))
    pages = page.get_by_role("navigation", name="Pages of the list of collections")
    expect(page.get_by_role("link", name=many[0])).to_be_visible()
    pages.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name=many[-1])).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_webhook_is_made_tested_stopped_and_deleted(
    page: Page, server: ConsoleServer, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = WebhookSettings(http=True, networks=("127.0.0.0/8",))
    permitting = WebhookService(server.services.webhooks.kept, settings)
    monkeypatch.setattr(server.services, "webhooks", permitting)
    with receiving() as receiver:
        page.goto(server.at("webhooks", collection=collection))
        page.get_by_role("button", name="Make a webhook").click()
        page.get_by_label("Name", exact=True).fill("door")
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("Types of events").fill("person.matched, unknown.seen")
        page.get_by_role("button", name="Make", exact=True).click()
        receiver.secret = page.get_by_role("dialog").locator("code").inner_text()
        page.get_by_role("button", name="Close").last.click()
        row = page.get_by_role("row").filter(has_text="door")
        expect(row).to_contain_text("person.matched, unknown.seen")
        require_accessible(page)
        row.get_by_role("button", name="Test: door").click()
        expect(page.get_by_text("door took a test message")).to_be_visible()
        assert [message.type for message in receiver.came] == ["webhook.test"]
        row.get_by_role("button", name="Disable: door").click()
        expect(row).to_contain_text("disabled")
        row.get_by_role("button", name="Delete: door").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("There is no webhook yet.")).to_be_visible()
