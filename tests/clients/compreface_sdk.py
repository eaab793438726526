"""CompreFace's own SDK for Python: the whole scenario, call by call."""

from pathlib import Path
from typing import Any

from compreface import CompreFace

from tests.clients.calls import call, given

_OPTIONS = {"limit": 0, "det_prob_threshold": 0.8, "prediction_count": 1, "status": True}


def _run(port: int, key: str, photos: dict[str, str]) -> None:
    server = CompreFace("http://127.0.0.1", str(port), _OPTIONS)
    recognition = server.init_face_recognition(key)
    detection = server.init_face_detection(key)
    verification = server.init_face_verification(key)
    faces, subjects = recognition.get_face_collection(), recognition.get_subjects()

    call("empty", subjects.list)
    call("delete before", faces.delete_all, "Ada Lovelace")
    call("add subject", subjects.add, "Ada Lovelace")
    call("add subject again", subjects.add, "ada lovelace")
    ada = call("enrol", faces.add, photos["ada"], "Ada Lovelace")
    call("enrol other", faces.add, photos["grace"], "Grace", {"det_prob_threshold": 0.8})
    call("enrol bytes", faces.add, _read(photos["mona"]), "Zoë & Bob+1")
    call("enrol nobody", faces.add, photos["coffee"], "Nobody")
    call("enrol several", faces.add, photos["group"], "Several")
    call("faces", faces.list)
    call("subjects", subjects.list)

    plugins = {**_OPTIONS, "face_plugins": "calculator,age,gender,landmarks,mask"}
    call("recognise", recognition.recognize, photos["ada_again"], plugins)
    call("recognise other", recognition.recognize, _read(photos["grace_again"]), {"limit": 2})
    call("rename", subjects.update, "Zoë ", "Mona")
    call("delete one", subjects.delete, "Mona")
    call("recognise stranger", recognition.recognize, photos["mona_again"])
    call("recognise nobody", recognition.recognize, photos["coffee"])
    call("recognise several", recognition.recognize, photos["group"], {"prediction_count": 2})

    call("detect", detection.detect, photos["group"], {"face_plugins": "landmarks"})
    call("detect nobody", detection.detect, photos["coffee"])
    call("compare", verification.verify, photos["ada"], photos["ada_again"])
    call("compare others", verification.verify, photos["ada"], photos["group"])
    call("compare several", verification.verify, photos["group"], photos["ada"])
    image_id = ada["image_id"] if ada else ""
    call("compare with face", faces.verify, photos["group"], image_id)

    call("merge", subjects.update, "Grace", "Ada Lovelace")
    call("subjects merged", subjects.list)
    call("delete face", faces.delete, image_id)
    call("delete face again", faces.delete, image_id)
    call("delete faces", faces.delete_all, "Ada Lovelace")
    call("recognise without", recognition.recognize, photos["ada_again"])
    call("delete all", subjects.delete_all)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _main() -> None:
    arguments: dict[str, Any] = given()
    _run(arguments["port"], arguments["key"], arguments["photos"])


if __name__ == "__main__":
    _main()
