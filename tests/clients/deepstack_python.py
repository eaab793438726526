"""deepstack-python, as Home Assistant's integration and Viseron use it.

The package deletes nothing; Viseron's class of its own does, by an urlencoded form.
"""

from pathlib import Path
from typing import Any

import requests
from deepstack.core import DeepstackFace

from tests.clients.calls import call, given


class Faces(DeepstackFace):  # type: ignore[misc]
    """As Viseron's."""

    def delete(self, name: str) -> Any:
        """Viseron takes `success` out of every answer, and fails without one."""
        data = {"api_key": self._api_key, "userid": name}
        answer = requests.post(f"{self._url_base}/face/delete", data=data, timeout=self._timeout)
        return answer.json().pop("success")


def main() -> None:
    arguments = given()
    faces = Faces(ip="127.0.0.1", port=arguments["port"], api_key=arguments["key"], timeout=60)
    photos = {name: Path(path).read_bytes() for name, path in arguments["photos"].items()}
    call("delete before training", faces.delete, "Eileen Collins")
    call("detect before training", faces.detect, photos["eileen"])
    call("register", faces.register, "Eileen Collins", photos["eileen"])
    with Path(arguments["photos"]["grace"]).open("rb") as photo:
        call("register a file", faces.register, "Grace", photo)
    call("register again", faces.register, "Eileen Collins", photos["eileen_again"])
    call("register without a face", faces.register, "Nobody", photos["coffee"])
    call("list", faces.get_registered_faces)
    call("recognize eileen", faces.recognize, photos["eileen_again"])
    call("recognize grace", faces.recognize, photos["grace_again"])
    call("recognize a stranger", faces.recognize, photos["stranger"])
    call("recognize nobody", faces.recognize, photos["coffee"])
    call("recognize several", faces.recognize, photos["group"])
    call("delete", faces.delete, "Eileen Collins")
    call("recognize who is deleted", faces.recognize, photos["eileen_again"])
    call("list the other", faces.get_registered_faces)
    call("delete the other", faces.delete, "Grace")
    call("list nobody", faces.get_registered_faces)


if __name__ == "__main__":
    main()
