"""A CompreFace client of others: paging, base64, deletion of many, download of photos."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from compare import CompareFace

from tests.clients.calls import call, given


def _run(port: int, key: str, photos: dict[str, str], target: str) -> None:
    server = CompareFace("http://127.0.0.1", port)
    recognition = server.init_recognition_service(key)
    detection = server.init_detect_service(key)
    verification = server.init_verify_service(key)

    ada = call("enrol", recognition.add_a_img, "Ada Lovelace", photos["ada"])
    grace = call("enrol base64", recognition.add_a_img_by_64, "Grace", _base64(photos["grace"]))
    call("subjects", recognition.list_all_subjects)
    call("first page", recognition.list_saved_img_subject, 0, 1)
    call("last page", recognition.list_saved_img_subject, 1, 1)
    call("page of one", recognition.list_saved_img_subject, subject="Ada Lovelace")
    call("page of none", recognition.list_saved_img_subject, subject="ada lovelace")

    call("recognise", recognition.recognize, photos["ada_again"], status=True)
    call("recognise base64", recognition.recognize_by_64, _base64(photos["grace_again"]))
    call("recognise whole", recognition.recognize, photos["crop"], detect_faces=False)
    call("recognise stranger", recognition.recognize, photos["mona"])
    call("recognise nobody", recognition.recognize, photos["coffee"])
    call("detect", detection.detect, photos["group"], limit=1, face_plugins="pose,landmarks")
    call("detect base64", detection.detect_by_64, _base64(photos["ada"]))
    call("compare", verification.verify, photos["ada"], photos["ada_again"])
    call(
        "compare base64",
        verification.verify_by_64,
        _base64(photos["ada"]),
        _base64(photos["grace"]),
    )
    image_id, other_id = (ada or {}).get("image_id", ""), (grace or {}).get("image_id", "")
    call("compare with face", recognition.verify, photos["ada_again"], image_id)
    call("compare with no face", recognition.verify, photos["ada_again"], _no_id(image_id))
    saved = call("download", recognition.download_a_img, image_id, target)
    call("size", lambda: len(Path(str(saved)).read_bytes()))

    call("rename", recognition.rename_a_subject, "Grace", "Grace Hopper")
    call("delete many", recognition.delete_multiple_img, [image_id, other_id, image_id])
    call("delete face", recognition.delete_a_img, image_id)
    call("delete subject", recognition.delete_a_subject, "Grace Hopper")
    call("delete of subject", recognition.delete_saved_img_by_subject, "Ada Lovelace")
    call("subjects left", recognition.list_all_subjects)
    call("recognise without", recognition.recognize, photos["ada_again"])
    call("delete all", recognition.delete_all_subjects)


def _base64(path: str) -> str:
    return b64encode(Path(path).read_bytes()).decode()


def _no_id(image_id: str) -> str:
    return image_id[:-4] + ("0000" if image_id[-4:] != "0000" else "1111")


def _main() -> None:
    arguments: dict[str, Any] = given()
    _run(arguments["port"], arguments["key"], arguments["photos"], arguments["saved"])


if __name__ == "__main__":
    _main()
