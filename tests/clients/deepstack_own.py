"""deepstack-sdk, DeepStack's own client: several photos a registration."""

from pathlib import Path

from deepstack_sdk import Face, ServerConfig

from tests.clients.calls import call, given


def main() -> None:
    arguments = given()
    config = ServerConfig(f"http://127.0.0.1:{arguments['port']}", api_key=arguments["key"])
    faces = Face(config)
    photos = {name: Path(path).read_bytes() for name, path in arguments["photos"].items()}
    call("detect", faces.detectFace, photos["group"])
    both = [photos["eileen"], arguments["photos"]["eileen_again"]]
    call("register two photos", faces.registerFace, both, "Eileen Collins")
    call("register the other", faces.registerFace, [photos["grace"]], "Grace")
    call("register without a face", faces.registerFace, [photos["coffee"]], "Nobody")
    call("list", faces.listFaces)
    call("recognize several", faces.recognizeFace, photos["group"])
    call("recognize a stranger", faces.recognizeFace, photos["stranger"])
    call("recognize nobody", faces.recognizeFace, photos["coffee"])
    call("delete", faces.deleteFace, "Eileen Collins")
    call("recognize who is deleted", faces.recognizeFace, photos["eileen_again"])
    call("delete the other", faces.deleteFace, "Grace")
    call("list nobody", faces.listFaces)


if __name__ == "__main__":
    main()
