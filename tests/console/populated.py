"""A collection in which every page of the console has something to show."""

from dataclasses import dataclass

from tests.console.console_server import ConsoleServer
from tests.kit.photos import another_photo, astronaut, encoded, hopper

HOSTILE_NAMES = (
    '<img src=x onerror="document.title = 1">',
    "אברהם \u202eשמואל\u202c בן־דוד",  # noqa: RUF001  (not an l)
    "Wolfeschlegelsteinhausenbergerdorff" * 7,
    "Zoë 👩🏽‍🚀 O'Neil; =cmd|' /C calc'!A0",
)
"""Markup, right to left, one word of 245 characters, and signs of several code points."""


@dataclass(frozen=True, slots=True)
class Populated:
    collection: str
    person_id: str
    group_id: str

    def pages(self) -> dict[str, str]:
        """The addresses of all pages, by name."""
        plain = (
            "start",
            "identify",
            "identify/two",
            "identify/quality",
            "people",
            "enroll",
            "enroll_many",
            "unknowns",
            "review",
            "thresholds",
            "privacy",
            "privacy/retention",
            "privacy/receipts",
            "system",
            "system?tab=collections",
            "system?tab=models",
            "system?tab=service",
            "keys",
            "webhooks",
            "no_such_page",
        )
        return {
            **{name: name for name in plain},
            "person": f"person/{self.person_id}",
            "unknowns/group": f"unknowns/{self.group_id}",
        }


def populate(server: ConsoleServer) -> Populated:
    """Make one: people with hostile names, of whom two are one person, and an unknown face."""
    collection = server.new_collection(description="Who works here")
    base = f"/v1/collections/{collection}"
    server.client.patch(base, json={"options": {"unknowns": {"keep": True}}}).raise_for_status()
    stranger = {"image": ("door.jpg", encoded(hopper()))}
    seen = server.client.post(f"{base}/identify", files=stranger, data={"terminal_id": "door"})
    (face,) = seen.raise_for_status().json()["faces"]
    first, *others = HOSTILE_NAMES
    photos = (astronaut(), another_photo(astronaut()))
    person = server.enroll(
        collection, *photos, name=first, external_id="emp-1042", attributes='{"site": "berlin"}'
    )["identity"]
    for name in others:
        server.enroll(collection, astronaut(), name=name, force="true")
    return Populated(collection, person["id"], face["unknown_group_id"])
