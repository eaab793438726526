"""The API as documented, fuzzed by schemathesis against a real server."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api import routes
from app.api.schemas.embed import EmbedImagesAnswer
from app.api.schemas.identify import IdentifyAnswer, IdentifyImagesAnswer
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.verify import VerifyAnswer
from scripts.write_openapi import PATH, openapi_text
from tests.kit.server import running

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "6")
"""Random requests for each operation, beside some 3,000 that are derived from the document.

FUZZ_EXAMPLES=200 looks deeper.
"""
# Made-up collections would only ever be missing; and the one that is there must not go away. A
# stream of events does not end. A
# batch is accepted whatever a line or an image of it says: that is rejected by itself.
CONFIGURATION = f"""
hooks = "{HOOKS}"

[checks]
enabled = false
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_schema_conformance.enabled = true
negative_data_rejection.enabled = true
unsupported_method.enabled = true

[parameters]
collection = "default"

[[operations]]
include-name = "DELETE /v1/collections/{{collection}}"
enabled = false

[[operations]]
include-name = "GET /v1/events"
enabled = false

[[operations]]
include-name = "POST /v1/collections/{{collection}}/identities:batch"
checks.negative_data_rejection.enabled = false

[[operations]]
include-name = "POST /v1/collections/{{collection}}/identify:batch"
checks.negative_data_rejection.enabled = false

[[operations]]
include-name = "POST /v1/embed:batch"
checks.negative_data_rejection.enabled = false
"""


def test_fuzzed_api_keeps_to_its_documentation(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, encoding="utf-8")
    with running(tmp_path, VULTUS_API_KEYS="fuzz") as server:
        done = subprocess.run(
            [
                SCHEMATHESIS,
                "run",
                f"{server.url}/openapi.json",
                "--header=x-api-key: fuzz",
                "--phases=examples,coverage,fuzzing",
                f"--max-examples={EXAMPLES}",
                "--seed=1",
                "--request-timeout=60",
                "--continue-on-failure",
                "--no-color",
                "--generation-database=none",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "default"},
            capture_output=True,
            text=True,
            timeout=1_200,  # on a busy machine; it only ends what hangs
            check=False,
        )
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
        defects = [line for line in server.log if '"request_failed"' in line]
        assert defects == []


@pytest.mark.parametrize(
    "schema",
    [EnrollmentBody, IdentifyAnswer, IdentifyImagesAnswer, EmbedImagesAnswer, VerifyAnswer],
)
def test_examples_are_what_the_schemas_say(schema: type[BaseModel]) -> None:
    (example,) = schema.model_json_schema()["examples"]
    assert schema.model_validate(example).model_dump(mode="json") == example


@pytest.mark.parametrize("media_type", ["multipart/form-data", "application/json"])
def test_bodies_are_documented_in_both_forms(client: TestClient, media_type: str) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    body = paths["/v1/collections/{collection}/identify"]["post"]["requestBody"]
    image = body["content"][media_type]["schema"]["properties"]["image"]
    if media_type == "multipart/form-data":
        assert image["format"] == "binary"
    else:
        assert image["contentEncoding"] == "base64"


def test_batch_is_documented_as_lines(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operation = paths["/v1/collections/{collection}/identities:batch"]["post"]
    for part, schema in (
        (operation["requestBody"], "BatchItemBody"),
        (operation["responses"]["200"], "BatchResultBody"),
    ):
        told = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
        assert part["content"] == {"application/x-ndjson": told}


def test_committed_description_is_that_of_the_routes() -> None:
    assert PATH.read_text(encoding="utf-8") == openapi_text(), "renew it: make openapi"


def test_every_file_of_routes_is_part_of_the_application(client: TestClient) -> None:
    described = {
        operation["operationId"]
        for path in client.get("/openapi.json").json()["paths"].values()
        for operation in path.values()
    }
    for module in iter_modules(routes.__path__):
        router = import_module(f"{routes.__name__}.{module.name}").router
        names = {route.operation_id for route in router.routes if route.include_in_schema}
        assert names <= described, module.name


def test_operations_are_named_and_summarised_for_clients(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    described = {tag["name"] for tag in description["tags"] if tag["description"]}
    operations = [
        operation for path in description["paths"].values() for operation in path.values()
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert {"enroll_identity", "list_identities", "identify", "verify"} <= set(names)
    for operation in operations:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
        assert re.fullmatch(r"[A-Z].*\w\.", operation["summary"]), operation["summary"]
        assert set(operation["tags"]) <= described


def test_every_reference_leads_somewhere(client: TestClient) -> None:
    text = client.get("/openapi.json").text
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert "FaceRule" in referred
    assert referred <= set(schemas)


def test_every_operation_documents_its_problems(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            if not path.startswith("/v1"):
                continue
            for status in ("401", "422", "429", "500", "503"):
                assert list(operation["responses"][status]["content"]) == [
                    "application/problem+json"
                ], path
