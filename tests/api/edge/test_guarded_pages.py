"""The metrics and the documentation want a key where the settings say so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.main import create_app
from tests.api.conftest import problem
from tests.kit.api_keys import new_key

WithSettings = Callable[..., TestClient]
KEY = "a-key-of-an-admin"
PATHS = ("/metrics", "/docs", "/openapi.json")


def test_by_default_they_want_none(with_settings: WithSettings) -> None:
    client = with_settings(api_keys=KEY)
    assert [client.get(path).status_code for path in PATHS] == [200] * 3


def test_a_scraper_sends_its_key_as_a_bearer_token(with_settings: WithSettings) -> None:
    """As Prometheus does by `authorization: {credentials_file: ...}`."""
    client = with_settings(api_keys=KEY, metrics_and_docs_need_key=True)
    scraped = client.get("/metrics", headers={"authorization": f"Bearer {KEY}"})
    names = {family.name for family in text_string_to_metric_families(scraped.text)}
    assert "vultus_requests" in names
    for path in PATHS:
        refused = client.get(path)
        problem(refused, 401, "unauthorized")
        assert refused.headers["www-authenticate"] == "ApiKey"
        problem(client.get(path, headers={"authorization": "Bearer wrong"}), 401, "unauthorized")
        assert client.get(path, headers={"x-api-key": KEY}).status_code == 200
    for open_path in ("/healthz", "/readyz", "/console/"):
        assert client.get(open_path).status_code == 200


def test_a_key_without_the_right_read_is_refused(tight: TestClient) -> None:
    services = tight.app.state.services  # type: ignore[attr-defined]
    _, door = new_key(tight, rights=["identify"])
    bearer = {"authorization": f"bearer {door['x-api-key']}"}
    settings = services.settings.model_copy(update={"metrics_and_docs_need_key": True})
    client = TestClient(create_app(settings, services))
    refused = problem(client.get("/metrics", headers=bearer), 403, "missing_right")
    assert refused["missing_right"] == "read"
    assert client.get("/v1/me", headers=bearer).json()["rights"] == ["identify"]


def test_keys_of_a_file_are_admins(with_settings: WithSettings, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# boss\n{KEY}\n")
    path.chmod(0o600)
    client = with_settings(api_keys_file=path)
    problem(client.get("/v1/me"), 401, "unauthorized")
    me = client.get("/v1/me", headers={"x-api-key": KEY}).json()
    assert (me["name"], me["role"]) == ("file key 1", "admin")


@pytest.mark.parametrize("value", ["Basic abc", "Bearer", "bearer  "])
def test_other_authorizations_are_no_key(with_settings: WithSettings, value: str) -> None:
    client = with_settings(api_keys=KEY)
    problem(client.get("/v1/me", headers={"authorization": value}), 401, "unauthorized")
