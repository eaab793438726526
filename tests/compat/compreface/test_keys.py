"""A key is what CompreFace calls a service: it leads to a collection, and says what is allowed."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import CompreFaceSettings
from tests.compat.compreface.conftest import RECOGNITION, Program, part, refused
from tests.kit.api_keys import new_key

_SUBJECTS = f"{RECOGNITION}/subjects"


def test_each_key_sees_the_people_of_its_collection_alone(
    program_of: Callable[..., Program],
) -> None:
    front, back = program_of(), program_of()
    front.enrol("ada", "Ada")

    assert back.subjects == []
    assert front.recognise("ada_again")[0]["subjects"][0]["subject"] == "Ada"
    assert back.recognise("ada_again")[0]["subjects"] == []


def test_a_key_that_is_missing_or_unknown_is_refused_without_being_repeated(
    keyed: TestClient,
) -> None:
    missing = TestClient(keyed.app).get(_SUBJECTS)
    assert refused(missing, 400, 20) == "Missing header: x-api-key"

    key = str(uuid4())
    unknown = keyed.get(_SUBJECTS, headers={"x-api-key": key})
    assert key not in refused(unknown, 404, 10)


def test_a_key_without_the_right_is_refused_like_one_of_another_service(
    program_of: Callable[..., Program],
) -> None:
    operator = program_of("operator")

    added = operator.send(
        "POST", f"{RECOGNITION}/faces", params={"subject": "Ada"}, files=part("ada")
    )
    assert "enroll" in refused(added, 404, 10)
    assert "correct" in refused(operator.send("DELETE", _SUBJECTS), 404, 10)
    assert operator.subjects == []


def test_a_key_of_several_collections_without_the_default_one_is_refused(
    keyed: TestClient, program_of: Callable[..., Program]
) -> None:
    names = [program_of().collection for _ in range(2)]
    _, header = new_key(keyed, role="integrator", collections=names)

    answer = keyed.get(_SUBJECTS, headers=header)

    assert answer.json()["message"]
    assert answer.status_code in {400, 403, 404}


def test_what_is_read_and_changed_is_in_the_audit_log(
    keyed: TestClient, program_of: Callable[..., Program]
) -> None:
    program = program_of()
    path = f"/v1/collections/{program.collection}"
    keyed.patch(path, json={"options": {"audit": {"reads": True}}}).raise_for_status()
    image_id = program.enrol("ada", "Ada")
    program.enrol("ada_again", "Ada")
    program.recognise("ada_again")
    program.ask("GET", f"{RECOGNITION}/faces")
    program.ask("DELETE", f"{RECOGNITION}/faces/{image_id}")
    keyed.app.state.services.reads.flush()  # type: ignore[attr-defined]

    lines = keyed.get("/v1/audit", params={"collection": program.collection}).json()["lines"]

    principal = program.headers["x-api-key"].split("_")[1]
    done = {line["action"] for line in lines if line["principal"] == principal}
    assert {
        "identity.created",
        "face.added",
        "person.identified",
        "faces.listed",
        "face.erased",
    } <= done


def test_a_key_in_a_path_leads_to_crops_only_where_the_settings_permit_it(
    keyed: TestClient, program_of: Callable[..., Program]
) -> None:
    program = program_of()
    keyed.patch(
        f"/v1/collections/{program.collection}", json={"options": {"crops": {"keep": True}}}
    ).raise_for_status()
    image_id = program.enrol("ada", "Ada")
    key = program.headers["x-api-key"]

    def path(key: str) -> str:
        return f"/api/v1/static/{key}/images/{image_id}"

    assert key not in refused(program.send("GET", path(key)), 404, 0)
    services = keyed.app.state.services  # type: ignore[attr-defined]
    permitted = CompreFaceSettings(static_images=True)
    settings = services.settings.model_copy(update={"compreface": permitted})
    app = create_app(settings, replace(services, settings=settings))
    client = TestClient(app)

    shown = client.get(path(key))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert "other-key" not in refused(client.get(path("other-key")), 404, 10)
