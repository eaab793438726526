"""Inboxes of unknown faces, filled over the API with real photos."""

from typing import Any

from PIL import Image

from tests.console.console_server import ConsoleServer
from tests.kit.photos import encoded

KEEP = {"unknowns": {"keep": True, "retention_s": 604_800}}


class Inbox:
    """The inbox of a collection of its own."""

    def __init__(self, server: ConsoleServer) -> None:
        self.collection = server.new_collection()
        self._client = server.client
        self._path = f"/v1/collections/{self.collection}"
        self._client.patch(self._path, json={"options": KEEP}).raise_for_status()

    def see(self, photo: Image.Image, *, terminal: str = "gate-2") -> str:
        """Send a photo of a stranger; return the id of their group."""
        answer = self._client.post(
            f"{self._path}/identify",
            data={"terminal_id": terminal},
            files={"image": ("camera.jpg", encoded(photo))},
        )
        answer.raise_for_status()
        group: str = answer.json()["faces"][0]["unknown_group_id"]
        return group

    def see_apart(self, *photos: Image.Image) -> list[str]:
        """Send photos of one stranger, each of which becomes a group; return their ids."""
        groups = [self.see(photo) for photo in photos]
        for face in self.faces(groups[0])[1:]:
            made = self.post(f"unknowns/{groups[0]}:split", face_ids=[face])
            groups.append(made["id"])
        return list(dict.fromkeys(groups))

    def faces(self, group: str) -> list[str]:
        """The ids of a group's faces, oldest first."""
        return [face["id"] for face in self.get(f"unknowns/{group}")["faces"]]

    def groups(self) -> dict[str, int]:
        """The groups of the inbox, and how many faces each has."""
        listed = self.get("unknowns")["groups"]
        return {group["id"]: group["face_count"] for group in listed}

    def people(self) -> dict[str, int]:
        """The names of the people who are enrolled, and how many faces each has."""
        return {one["name"]: one["face_count"] for one in self.get("identities")["identities"]}

    def get(self, path: str) -> dict[str, Any]:
        answer = self._client.get(f"{self._path}/{path}")
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._client.post(f"{self._path}/{path}", json=body)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result
