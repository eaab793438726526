"""Enroll two people and name the faces of a photo: `python examples/client.py PHOTO`."""

import os
import sys
from pathlib import Path
from typing import Any

import requests

PHOTOS = Path(__file__).parent.parent / "app" / "demo" / "photos"


class Vultus:
    """A client of one collection. An error of the service raises, with its code and remedy."""

    def __init__(self, url: str, collection: str, key: str = "") -> None:
        self.http = requests.Session()
        self.http.headers["x-api-key"] = key
        self.people = f"{url}/v1/collections/{collection}"

    def call(self, method: str, url: str, **body: Any) -> Any:
        answer = self.http.request(method, url, timeout=60, **body)
        if not answer.ok:
            problem = answer.json()
            raise RuntimeError(f"{problem['code']}: {problem['detail']}")
        return answer.json()

    def enroll(self, key: str, name: str, photo: Path) -> Any:
        fields, files = {"external_id": key, "name": name}, {"images": photo.read_bytes()}
        return self.call("POST", f"{self.people}/identities", data=fields, files=files)

    def identify(self, photo: Path) -> list[Any]:
        files = {"image": photo.read_bytes()}
        faces: list[Any] = self.call("POST", f"{self.people}/identify", files=files)["faces"]
        return faces


def main(photo: Path) -> None:
    url = os.environ.get("VULTUS_URL", "http://localhost:8000")
    vultus = Vultus(url, "examples", os.environ.get("VULTUS_API_KEY", ""))
    vultus.call("POST", f"{url}/v1/collections", json={"name": "examples"})
    try:
        vultus.enroll("eileen", "Eileen Collins", PHOTOS / "eileen.jpg")
        vultus.enroll("grace", "Grace Hopper", PHOTOS / "grace.jpg")
        for face in vultus.identify(photo):
            name = face["identity"]["name"] if face["status"] == "match" else "-"
            print(f"{face['status']}: {name}, at {face['box']}")
    finally:
        vultus.call("DELETE", vultus.people)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PHOTOS / "group.jpg")
