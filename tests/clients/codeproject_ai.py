"""codeproject-ai-api, as Viseron uses it. It knows no keys."""

from pathlib import Path
from typing import Any

import requests
from codeprojectai.core import CodeProjectAIFace

from tests.clients.calls import call, given


class Faces(CodeProjectAIFace):  # type: ignore[misc]
    """As Viseron's."""

    def delete(self, name: str) -> Any:
        url = f"{self._url_base}/face/delete"
        return requests.post(url, data={"userid": name}, timeout=self.timeout).json()["success"]


def main() -> None:
    arguments = given()
    faces = Faces(ip="127.0.0.1", port=arguments["port"], timeout=60, min_confidence=0.6)
    photos = {name: Path(path).read_bytes() for name, path in arguments["photos"].items()}
    call("detect", faces.detect, photos["group"])
    call("register", faces.register, "Eileen Collins", photos["eileen"])
    call("register the other", faces.register, "Grace", photos["grace"])
    call("list", faces.get_registered_faces)
    call("recognize several", faces.recognize, photos["group"])
    call("recognize a stranger", faces.recognize, photos["stranger"])
    call("recognize nobody", faces.recognize, photos["coffee"])
    call("delete", faces.delete, "Eileen Collins")
    call("recognize who is deleted", faces.recognize, photos["eileen_again"])
    call("delete the other", faces.delete, "Grace")
    call("list nobody", faces.get_registered_faces)


if __name__ == "__main__":
    main()
